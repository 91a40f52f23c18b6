"""The database itself refuses to change or delete a line of the event log, and to move a chain's head back.

Whoever may alter tables can drop these triggers; `verify_log` says when they are missing, and finds what was changed.
"""

from django.db import migrations

SQLITE = [
    """CREATE TRIGGER event_log_keeps_lines BEFORE UPDATE ON trading_eventlog
       BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END""",
    """CREATE TRIGGER event_log_loses_none BEFORE DELETE ON trading_eventlog
       BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END""",
    """CREATE TRIGGER event_chain_goes_on BEFORE UPDATE ON trading_eventchain
       WHEN NEW.last_seq < OLD.last_seq OR NEW.name <> OLD.name OR NEW.id <> OLD.id
       BEGIN SELECT RAISE(ABORT, 'an event chain only goes on'); END""",
    """CREATE TRIGGER event_chain_stays BEFORE DELETE ON trading_eventchain
       BEGIN SELECT RAISE(ABORT, 'an event chain only goes on'); END""",
]
POSTGRESQL = [
    """CREATE OR REPLACE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'the event log is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """CREATE TRIGGER event_log_keeps_lines BEFORE UPDATE ON trading_eventlog
       FOR EACH ROW EXECUTE FUNCTION refuse_event_change()""",
    """CREATE TRIGGER event_log_loses_none BEFORE DELETE ON trading_eventlog
       FOR EACH ROW EXECUTE FUNCTION refuse_event_change()""",
    """CREATE TRIGGER event_log_is_not_emptied BEFORE TRUNCATE ON trading_eventlog
       FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change()""",
    """CREATE TRIGGER event_chain_goes_on BEFORE UPDATE ON trading_eventchain FOR EACH ROW
       WHEN (NEW.last_seq < OLD.last_seq OR NEW.name <> OLD.name OR NEW.id <> OLD.id)
       EXECUTE FUNCTION refuse_event_change()""",
    """CREATE TRIGGER event_chain_stays BEFORE DELETE ON trading_eventchain
       FOR EACH ROW EXECUTE FUNCTION refuse_event_change()""",
    """CREATE TRIGGER event_chain_is_not_emptied BEFORE TRUNCATE ON trading_eventchain
       FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change()""",
]
LOG, CHAIN = "trading_eventlog", "trading_eventchain"
NAMES = {
    LOG: ["event_log_keeps_lines", "event_log_loses_none", "event_log_is_not_emptied"],
    CHAIN: ["event_chain_goes_on", "event_chain_stays", "event_chain_is_not_emptied"],
}


def install(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for table, names in NAMES.items():
        for name in names:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}" + ("" if is_sqlite else f" ON {table}"))


class Migration(migrations.Migration):
    dependencies = [("trading", "0005_caps_and_ladder_stops")]
    operations = [migrations.RunPython(install, remove, elidable=False)]
