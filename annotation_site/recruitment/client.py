"""Prolific's API: one method for each call that is used, with timeouts and repeats.

What changes nothing, or is the same when done twice, is repeated after a lost answer. Everything else is not: paying a
bonus twice pays it twice (docs.prolific.com, "Pay bonuses"). A refusal for too many requests (429) is waited out in any
case, for nothing happened then.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from django.conf import settings

from annotation_site.recruitment.errors import Busy, Lost, Refused, Unconfigured

ATTEMPTS = 4
LONGEST_WAIT = 30.0
PAGE = 100
JSON = dict[str, Any]


class Prolific:
    """``base`` is the address of the API, ``sleep`` what waits between attempts."""

    def __init__(
        self, token: str, base: str, *, sleep: Callable[[float], object] = time.sleep, timeout: float = 10.0
    ) -> None:
        headers = {"Authorization": f"Token {token}"}
        self._http = httpx.Client(base_url=base, headers=headers, timeout=timeout)
        self._sleep = sleep

    def __enter__(self) -> Prolific:
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.close()

    def create_study(self, study: JSON) -> JSON:
        return self._call("POST", "studies/", json=study)

    def study(self, number: str) -> JSON:
        return self._call("GET", f"studies/{number}/", again=True)

    def studies(self) -> list[JSON]:
        """All studies of the account: how one is found whose creation got no answer."""
        found: list[JSON] = self._call("GET", "studies/", again=True)["results"]
        return found

    def move_study(self, number: str, action: str) -> JSON:
        """PUBLISH, PAUSE, START or STOP. The caller looks at the study before it asks again."""
        return self._call("POST", f"studies/{number}/transition/", json={"action": action})

    def submissions(self, study: str) -> Iterator[JSON]:
        page = 1
        while True:
            query = {"study": study, "page": page, "page_size": PAGE}
            rows = self._call("GET", "submissions/", params=query, again=True)["results"]
            yield from rows
            if len(rows) < PAGE:
                return
            page += 1

    def submission(self, number: str) -> JSON:
        return self._call("GET", f"submissions/{number}/", again=True)

    def move_submission(self, number: str, **request: str) -> JSON:
        """APPROVE, REJECT or COMPLETE; the same twice is ignored by Prolific."""
        return self._call("POST", f"submissions/{number}/transition/", json=request, again=True)

    def set_up_bonus(self, study: str, submission: str, amount: int) -> str:
        """Prepare a bonus in cents; the id by which it is paid. Preparing pays nothing, so it may be repeated."""
        line = f"{submission},{amount // 100}.{amount % 100:02d}"
        made = self._call(
            "POST", "submissions/bonus-payments/", json={"study_id": study, "csv_bonuses": line}, again=True
        )
        return str(made["id"])

    def pay_bonus(self, number: str) -> None:
        """Pay a prepared bonus. Sent twice it is paid twice: never repeated here."""
        self._call("POST", f"bulk-bonus-payments/{number}/pay/", json={})

    def subscribe(self, event: str, target: str, workspace: str) -> str:
        """Have events of a kind sent to ``target``, and confirm it; the subscription's id."""
        request = {"event_type": event, "target_url": target, "workspace_id": workspace}
        response = self._send("POST", "hooks/subscriptions/", again=False, json=request)
        made = _json(response)
        number = str(made.get("id") or made["results"][0]["id"])
        secret = response.headers.get("X-Hook-Secret", "")
        self._call("POST", f"hooks/subscriptions/{number}/", json={"secret": secret}, again=True)
        return number

    def _call(self, method: str, path: str, *, again: bool = False, **request: Any) -> JSON:
        answer = _json(self._send(method, path, again=again, **request))
        return answer if isinstance(answer, dict) else {"answer": answer}

    def _send(self, method: str, path: str, *, again: bool, **request: Any) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._http.request(method, path, **request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                # Never sent, so it may always be sent again.
                if last:
                    raise Busy(f"Prolific cannot be reached ({type(error).__name__}): try again later.") from error
            except httpx.HTTPError as error:
                if last or not again:
                    raise Lost(
                        f"No answer from Prolific to {method} {_shown(path)} ({type(error).__name__})."
                    ) from error
            else:
                if response.status_code == 429:
                    self._wait_for(response, last=last)
                    continue
                if response.status_code < 500:
                    return _accepted(response, method, path)
                if last or not again:
                    raise Lost(f"Prolific answered {response.status_code} to {method} {_shown(path)}.")
            self._sleep(min(LONGEST_WAIT, 0.5 * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    def _wait_for(self, response: httpx.Response, *, last: bool) -> None:
        asked = response.headers.get("Retry-After", "")
        seconds = float(asked) if asked.replace(".", "", 1).isdigit() else 2.0
        if last or seconds > LONGEST_WAIT:
            raise Busy(f"Prolific takes no more requests for now (429): try again in {seconds:.0f} seconds or later.")
        self._sleep(seconds)


def _accepted(response: httpx.Response, method: str, path: str) -> httpx.Response:
    if response.is_success:
        return response
    if response.status_code in (401, 403):
        raise Refused("Prolific does not accept the token: set PROLIFIC_TOKEN to a valid one.", response.status_code)
    raise Refused(
        f"Prolific refused {method} {_shown(path)} ({response.status_code}): {_words(response)}", response.status_code
    )


def _shown(path: str) -> str:
    """An address without the ids in it: errors are logged."""
    return re.sub(r"(?<=/)[^/]{8,}(?=/)", "...", path)


def _words(response: httpx.Response) -> str:
    """What Prolific says is wrong, however it is wrapped."""
    try:
        error = response.json()
    except ValueError:
        return response.text[:300] or "no reason given"
    inner = error.get("error", error) if isinstance(error, dict) else error
    detail = inner.get("detail") or inner.get("title") or inner if isinstance(inner, dict) else inner
    return str(detail)[:500]


def _json(response: httpx.Response) -> Any:
    try:
        return response.json() if response.content else {}
    except ValueError as error:
        raise Lost("Prolific's answer cannot be read.") from error


def connect() -> Prolific:
    """The API with the site's own token."""
    if not settings.PROLIFIC_TOKEN:
        raise Unconfigured("This site has no PROLIFIC_TOKEN: make one at Prolific (Settings, API tokens) and set it.")
    return Prolific(settings.PROLIFIC_TOKEN, settings.PROLIFIC_API)
