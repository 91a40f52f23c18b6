"""`prepare_stack`: what `run_stack` does to the database before the processes start."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from trading.domain.errors import BrokerError, ConfigurationError
from trading.services import venue


class Command(BaseCommand):
    """Migrate, claim the venue, seed the demo; the last line is JSON {"venue", "sign_in"}."""

    help = "Prepare database and Redis for one venue (run_stack calls this)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--exchange-info", type=Path, help="file with the exchange's announcement; without it: live"
        )
        parser.add_argument("--fresh", action="store_true", help="empty the demo's database and Redis first")
        parser.add_argument("--previous-venue", default="", help="the exchange's id before --fresh")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, or refuse with one sentence."""
        path: Path | None = options["exchange_info"]
        info: dict[str, Any] | None = json.loads(path.read_text()) if path else None
        name = str(info["exchange_id"]) if info else venue.LIVE
        try:
            if options["fresh"] and info:
                venue.empty_demo_database(own_venues={name, options["previous_venue"]} - {""})
            call_command("migrate", interactive=False, verbosity=0)
            venue.claim_venue(name)
            venue.claim_redis(redis.Redis.from_url(settings.REDIS_URL), name, is_fresh=options["fresh"])
            sign_in = _seed(info) if info and settings.IS_DEMO else []
        except (ConfigurationError, BrokerError) as error:
            raise CommandError(str(error)) from error
        except redis.RedisError as error:
            raise CommandError(f"Redis at REDIS_URL does not answer: {error}") from error
        self.stdout.write(json.dumps({"venue": name, "sign_in": sign_in}))


def _seed(info: dict[str, Any]) -> list[dict[str, str]]:
    from trading.services.demo import prepare_demo

    people: list[dict[str, str]] = prepare_demo(settings.STATE_DIR, info)["sign_in"]
    return people
