"""Readers and writers of every layout on disk; nothing else knows one."""
