"""The network is never called inside a transaction: what is wanted is committed first, what was seen afterwards."""

import logging
import threading

_logger = logging.getLogger(__name__)


def may_commit(env):
    """False inside Odoo's tests, where everything is one transaction, unless a test says that it cleans up itself."""
    return bool(env.context.get("isp_commit")) or not getattr(threading.current_thread(), "testing", False)


def commit(env):
    """End the transaction. What is read afterwards is read from the database, as others have left it."""
    env.flush_all()
    if may_commit(env):
        env.cr.commit()
    env.invalidate_all()


def for_each(env, records, work, what):
    """Do what a cron does for each company, router or number: a bad setting of one stops none of the others.

    What went wrong is an error in the log, with the record's name, each time; nothing of that record is half-written.
    """
    for record in records:
        try:
            if may_commit(env):
                work(record)
                commit(env)
            else:
                with env.cr.savepoint():
                    work(record)
        except Exception:  # whatever is wrong with one, the others have their turn
            if may_commit(env):
                env.cr.rollback()
            env.invalidate_all(flush=False)
            _logger.exception("%s of %s failed", what, record)


def try_lock(env, kind, number):
    """Take a lock of the session, which outlives commits; False when another process holds it."""
    env.cr.execute("SELECT pg_try_advisory_lock(%s, %s)", (kind, number))
    return env.cr.fetchone()[0]


def unlock(env, kind, number):
    """Give a lock back."""
    env.cr.execute("SELECT pg_advisory_unlock(%s, %s)", (kind, number))


# Kinds of locks; the number is the id of a row.
LOCK_ROUTER = 0x15B0001
LOCK_CHANNEL = 0x15B0002
LOCK_REQUESTS = 0x15B0003
