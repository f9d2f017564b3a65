"""Readers and writers of every layout on disk.  No other room reads or writes one."""
