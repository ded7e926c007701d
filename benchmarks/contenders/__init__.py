"""Whoever sends messages in the dispatch benchmark: ours, the limit, and peers."""
