"""Clients of a live installation are live: until now every client's mode said paper, wherever the orders went."""

from django.db import migrations


def say_what_is(apps, schema_editor):
    if apps.get_model("trading", "Venue").objects.filter(name="live").exists():
        apps.get_model("trading", "Client").objects.exclude(onboarded_at=None).update(mode="live")


class Migration(migrations.Migration):
    dependencies = [("trading", "0003_paper_accounts")]
    operations = [migrations.RunPython(say_what_is, migrations.RunPython.noop)]
