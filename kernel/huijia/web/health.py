"""Is the process up (`/healthz`), and may it be given work (`/readyz`)?"""

from __future__ import annotations

import logging
from typing import Any

from flask import current_app, jsonify

from huijia.storage.migrate import is_current
from huijia.web.blueprints import Pages

logger = logging.getLogger(__name__)
pages = Pages("health", "huijia", prefix="")


@pages.get("/healthz", anonymous=True)
def alive() -> Any:
    """200 as long as the process answers at all."""
    return jsonify(status="ok")


@pages.get("/readyz", anonymous=True)
def ready() -> Any:
    """200 where requests can be served, else 503 with what is amiss: database, migrations or holder."""
    installation = current_app.installation  # type: ignore[attr-defined]
    registry, holder = installation.registry, installation.holder
    checks = {"database": False, "migrations": False, "holder": False}
    try:
        with installation.reading() as session:
            state = registry.current(session)
        with installation.storage.engine.connect() as connection:
            checks = {"database": True, "migrations": is_current(connection)}
        checks["holder"] = holder is None or registry.serving(snapshot=state) <= holder.serves
    except Exception:
        logger.exception("not ready")
    ready = all(checks.values())
    return jsonify(ready=ready, checks=checks), 200 if ready else 503
