"""Every address of the site. Names are what templates and tests use."""

from django.urls import include, path
from django.views.generic import RedirectView

from trading.web.views import board, brokers, demo, feed_consent, operator, people, raising, reports, status, watchlist

urlpatterns = [
    path("", people.home, name="home"),
    path("start/", people.start, name="start"),
    path("theme/", people.theme, name="theme"),
    # One address a person and always a password: these two pages of the library have nothing to offer.
    path("accounts/email/", RedirectView.as_view(pattern_name="settings"), name="account_email"),
    path("accounts/password/set/", RedirectView.as_view(pattern_name="account_change_password")),
    path("accounts/", include("allauth.account.urls")),
    path("onboarding/", people.onboarding, name="onboarding"),
    path("onboarding/start/", people.onboarding_start, name="onboarding-start"),
    path("settings/", people.account, name="settings"),
    path("settings/brokers/", people.broker_accounts, name="settings-brokers"),
    path("settings/brokers/connect/", brokers.connect, name="broker-connect"),
    path("settings/brokers/<uuid:account>/disconnect/", brokers.disconnect, name="broker-disconnect"),
    path("settings/limits/", people.risk_limits, name="settings-limits"),
    path("broker/kite/login/", brokers.login, name="kite-login"),
    path("broker/kite/callback/", brokers.callback, name="kite-callback"),
    path("settings/feed/", feed_consent.settings_page, name="settings-feed"),
    path("watchlist/", watchlist.show, name="watchlist"),
    path("watchlist/search/", watchlist.search, name="watchlist-search"),
    path("watchlist/add/", watchlist.add, name="watchlist-add"),
    path("watchlist/<int:item>/", watchlist.change, name="watchlist-line"),
    path("watchlist/<int:item>/trading/", watchlist.trading, name="watchlist-trading"),
    path("watchlist/<int:item>/move/", watchlist.move, name="watchlist-move"),
    path("watchlist/<int:item>/remove/", watchlist.remove, name="watchlist-remove"),
    path("reports/", reports.listing, name="reports"),
    path("reports/<str:day>/", reports.of_day, name="report-day"),
    path("reports/<str:day>/report.csv", reports.csv_of_day, name="report-csv"),
    path("trade-again/", raising.own, name="raise-state"),
    path("operator/", operator.board, name="operator"),
    path("operator/raise/", raising.of_house, name="operator-raise-house"),
    path("operator/raise/<int:client>/", raising.of_client, name="operator-raise"),
    path("status/", status.show, name="status"),
    path("dashboard/", board.dashboard, name="dashboard"),
    path("positions/", board.positions, name="positions"),
    path("orders/", board.orders, name="orders"),
    path("orders/<str:tag>/", board.order_why, name="order-why"),
    path("charts/price/", board.price_candles, name="price-candles"),
    path("charts/pnl/", board.pnl_points, name="pnl-points"),
    path("kill/", board.kill, name="kill"),
    path("operator/kill/", board.operator_kill, name="operator-kill"),
    path("demo/mail/", demo.mail, name="demo-mail"),
    path("demo/brokers/", demo.broker_users, name="demo-brokers"),
]
