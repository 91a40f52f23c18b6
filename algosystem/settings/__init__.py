"""Django's settings, by environment variables (docs/configuration.md lists them).

`ALGO_ENV` chooses between `development` (the default: secrets are made once, everything on loopback)
and `production` (nothing is guessed). `ALGO_VENUE` says what is traded: `live`, the simulated `demo`, or
`paper` (real prices, a simulated exchange).
"""

from algosystem.settings.base import *
from algosystem.settings.accounts import *
from algosystem.settings.security import *
from algosystem.settings.tasks import *
from algosystem.settings.logs import *
