"""Alarms on their way to people: channels, the outbox's sender, signs of life, and who stops entries when none works.

They leave by a thread of the processes that hold the money path (`thread.py`), not by Celery or Redis.
"""
