"""What every answer carries, which hosts are ours, and where a request with a cookie may come from."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import Request, Response, g

from huijia.errors import Forbidden
from huijia.i18n import messages
from huijia.web.bodies import NotUnderstood

_ = messages("huijia")

SAFE = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_https(config: Any) -> bool:
    """True where the address that people type begins with https."""
    return config.external_url.startswith("https:")


def secure(response: Response, config: Any) -> Response:
    """Add the headers of the house. Nothing is cached unless the view set `g.cache` to say how."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_https(config):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    response.headers["Cache-Control"] = g.get("cache", "no-store")
    return response


def cookie_name(config: Any, name: str) -> str:
    """`__Host-` binds the cookie to this very host; browsers take it only over https."""
    return f"__Host-{name}" if is_https(config) else name


def set_cookie(
    response: Response, config: Any, name: str, value: str, *, age_seconds_max: int | None = None
) -> None:
    """Give the browser a cookie that scripts cannot read; an empty value takes it away."""
    response.set_cookie(
        cookie_name(config, name),
        value,
        max_age=age_seconds_max if value else 0,
        secure=is_https(config),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def check_host(request: Request, config: Any) -> None:
    """Raise NotUnderstood for a Host that is not the external address's, nor allowed, nor a bare address."""
    name = _split(f"//{request.host}").hostname or ""
    known = {_split(config.external_url).hostname, "localhost", *config.allowed_hosts}
    if name not in known and not _is_address(name):
        message = _("This server does not answer to {host}; open it by its own address.", host=name)
        raise NotUnderstood(message)


def caller_address(request: Request, config: Any) -> str:
    """The address that asks: behind proxies that we trust, the last one before them in X-Forwarded-For."""
    chain = [*request.headers.get("X-Forwarded-For", "").split(","), request.remote_addr or ""]
    while len(chain) > 1 and chain[-1].strip() in config.web.trusted_proxies:
        chain.pop()
    return chain[-1].strip()


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # an unfinished [IPv6]
        return urlsplit("")


def check_origin(request: Request, config: Any) -> None:
    """Raise Forbidden where another site's page sent an unsafe request that cookies may have carried.

    Browsers tell by Sec-Fetch-Site (on https) or Origin; old ones by Referer. Who tells nothing is refused.
    Programs may come from anywhere: no page knows a token, and without cookies a request is nobody's.
    """
    program = "Authorization" in request.headers or (request.path.startswith("/api/") and not request.cookies)
    if request.method in SAFE or program:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    source = origin or request.headers.get("Referer", "")
    if not (site in ("same-origin", "none") if site else _origin(source) in _origins(request, config)):
        message = _("This came from another site's page, or from nowhere; open the page here and repeat.")
        raise Forbidden(message)


def _origin(address: str) -> str:
    parts = _split(address)
    return f"{parts.scheme}://{parts.netloc}"


def _origins(request: Request, config: Any) -> set[str]:
    # A proxy that ends TLS passes the host on, and http as the scheme.
    return {_origin(request.host_url), _origin(config.external_url or request.host_url)}
