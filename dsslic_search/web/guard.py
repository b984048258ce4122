"""Who may ask: checks before anything else is done with a request.

A page of another site must not reach a server on this machine, so a request has to name one of the server's
own hosts, and where a browser says from which page it comes, that page has to be the server's own. A server
that others can reach asks for a token, besides: once in an address, from then on in a cookie.
"""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsslic_search.web.limits import Limits
from dsslic_search.web.refusals import Refusal, refused, shown, told

LOOPBACK_NAMES = ("localhost",)
CLIENTS_REMEMBERED = 10_000
BURST_SECONDS = 4
SLOWEST = 20_000
"""Bytes a second, of a body that is waited for."""
SAFE = ("GET", "HEAD", "OPTIONS")
BODIES = ("application/json", "multipart/form-data", "image/png")
UPLOADS = ("/api/ingest", "/api/similar")

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

PAGE = "text/html"
SCRIPT = "text/javascript"
OF_OTHERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of answers that are no page: on a slow line what `HEADERS` says of pages would be half of the bytes of a
small picture."""
OF_SCRIPTS = {**OF_OTHERS, "Content-Security-Policy": "default-src 'none'; script-src 'self'"}
"""A worker is bound by the policy of its own script."""


def is_loopback(host: str) -> bool:
    """Whether an address or a name is this machine's own, for itself alone."""
    if host.rstrip(".").lower() in LOOPBACK_NAMES:
        return True
    return (address := _address(host)) is not None and address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


class Guard:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, names: Iterable[str], token: str | None, limits: Limits) -> None:
        """``names``: hosts by which the server may be called besides its own addresses. ``token``: asked for
        where it is not None."""
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._token = token
        self._limits = limits
        self._rate = Rate(limits.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _told_with(headers.get("content-type", PAGE)).items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        answer = self._judged(scope, headers)
        if isinstance(answer, Refusal):
            answer = shown(answer) if _opens(headers) else told(answer)
        if answer is not None:
            await answer(scope, receive, guarded)
            return
        limit = self._limits.upload if scope["path"] in UPLOADS else self._limits.body
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            await refused(413, _too_large(limit))(scope, receive, guarded)
            return
        await self._app(scope, Bounded(receive, limit, self._limits.seconds), guarded)

    def _judged(self, scope: Scope, headers: Headers) -> ASGIApp | Refusal | None:
        """What refuses a request, or answers it at once; None for one that may go on."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            return Refusal(403, "the server is not called by that name; open it by the address that it told")
        client = scope.get("client") or ("", 0)
        if (seconds := self._rate.wait(client[0])) > 0:
            return Refusal(
                429, "too many requests; slow down", headers={"Retry-After": str(max(1, round(seconds)))}
            )
        if refusal := self._from_elsewhere(scope, headers, host):
            return Refusal(403, refusal)
        if self._token is not None:
            asked = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
            given = asked.pop("token", None)
            if given is not None and scope["method"] in SAFE and self._is_token(given):
                return self._welcome(scope, asked)
            if not self._knows(scope, headers):
                return Refusal(
                    401, "this server asks for a token; open the address that it told when it was started"
                )
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] not in SAFE and _has_body(headers) and kind not in BODIES:
            return Refusal(415, f"a request that changes something sends one of: {', '.join(BODIES)}")
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if not name or "@" in host or "/" in host:
            return False
        address = _address(name)
        if address is None:
            return name in self._names or name in LOOPBACK_NAMES
        # a name that was bound to another address names no address, so an address can only be meant
        return address.is_loopback or self._token is not None or name in self._names

    def _from_elsewhere(self, scope: Scope, headers: Headers, host: str) -> str | None:
        """Why a request of another site's page is refused; None for any other."""
        sentence = "a page of another site may not ask this server"
        origin = headers.get("origin")
        if origin is not None and origin != f"{scope.get('scheme', 'http')}://{host}":
            return sentence
        if origin is None and (site := headers.get("sec-fetch-site")) is not None:
            navigates = headers.get("sec-fetch-mode") == "navigate" and scope["method"] in SAFE
            if site not in ("same-origin", "none") and not navigates:
                return sentence
        return None

    def _is_token(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())

    def _knows(self, scope: Scope, headers: Headers) -> bool:
        authorization = headers.get("authorization", "")
        if authorization.lower().startswith("bearer "):
            return self._is_token(authorization[7:].strip())
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            return False
        held = cookies.get(_cookie_name(scope))
        return held is not None and self._is_token(held.value)

    def _welcome(self, scope: Scope, asked: dict[str, str]) -> ASGIApp:
        """Gives the cookie, and leads to the same address without the token."""
        where = scope["path"] if scope["path"].startswith("/") and scope["path"][1:2] not in "/\\" else "/"
        answer = RedirectResponse(f"{where}?{urlencode(asked)}" if asked else where, 303)
        answer.set_cookie(
            _cookie_name(scope),
            self._token or "",
            httponly=True,
            samesite="strict",
            secure=scope.get("scheme") == "https",
            path="/",
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _opens(headers: Headers) -> bool:
    """Whether somebody opened an address in a browser. Browsers say so outright only to this machine and
    where the line is encrypted; to all they say what they would show."""
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode is not None else PAGE in headers.get("accept", "").lower()


def _told_with(kind: str) -> dict[str, str]:
    """The headers that go with an answer of a kind."""
    kind = kind.partition(";")[0].strip().lower()
    return HEADERS if kind == PAGE else OF_SCRIPTS if kind == SCRIPT else OF_OTHERS


def _cookie_name(scope: Scope) -> str:
    """Cookies are shared by the ports of a host."""
    return f"dss_token_{(scope.get('server') or ('', 0))[1]}"


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _too_large(limit: int) -> str:
    return f"the request has more than {limit:,} bytes; send less at once"


class Bounded:
    """What receives a request's body: 413 for more bytes than ``limit``, 408 when it takes longer than
    ``seconds``, and what its bytes take at the slowest that is waited for."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._seconds = seconds
        self._read = 0
        self._began: float | None = None
        self._whole = False

    async def __call__(self) -> Message:
        import asyncio

        if self._whole:
            return await self._receive()
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        try:
            ends = self._began + self._seconds + self._read / SLOWEST
            message = await asyncio.wait_for(self._receive(), max(0.01, ends - now))
        except TimeoutError:
            raise HTTPException(
                408, f"the request took longer than {ends - self._began:.0f} seconds to arrive; send it again"
            ) from None
        self._read += len(message.get("body", b""))
        if self._read > self._limit:
            raise HTTPException(413, _too_large(self._limit))
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message


class Rate:
    """Requests a second of each client: a bucket that fills at ``rate`` and holds some seconds' worth."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._full = rate * BURST_SECONDS
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """How many seconds a client should wait; 0 where it may ask now."""
        now = time.monotonic()
        left, last = self._left.pop(client, (self._full, now))
        left = min(self._full, left + (now - last) * self._rate)
        allowed = left >= 1
        self._left[client] = (left - 1 if allowed else left), now
        if len(self._left) > CLIENTS_REMEMBERED:
            self._left.popitem(last=False)
        return 0 if allowed else (1 - left) / self._rate
