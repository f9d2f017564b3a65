"""From a list of URLs to shards of pairs: select, plan, fetch behind a guard, decode, transcode, commit."""
