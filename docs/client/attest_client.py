"""A client of Attest's API. Written by `manage.py api_client` from the site's OpenAPI document: do not edit.

    with Attest("https://attest.example.org", "attest_...") as attest:
        for study in attest.iter_studies(state="open"):
            print(study["slug"], attest.get_progress(study["slug"])["places"])

It needs Python 3.11 and httpx. Lists have two methods: ``list_...`` gives a page, ``iter_...`` every row. Requests are
repeated when the site says "later" (429, 503), and lost ones where that is safe. Errors are ApiError.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NotRequired, Self, TypedDict
from urllib.parse import quote

import httpx


class ApiError(Exception):
    """An answer that is none: ``status``, and what was wrong with each field in ``errors``."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.errors: dict[str, list[str]] = dict(problem.get("errors", {}))
        lines = [f"{name}: {' '.join(said)}" for name, said in self.errors.items()]
        super().__init__(" ".join([f"{status}:", str(problem.get("detail", "")), *lines]).strip())


class Connection:
    """Requests with a token: repeats what may be repeated, and remembers the ETags of what it has read."""

    def __init__(
        self, site: str, token: str = "", *, timeout: float = 60, tries: int = 6,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        self._http = httpx.Client(base_url=site, headers=headers, timeout=timeout)
        self._tries, self._sleep = tries, sleep
        self._tags: dict[str, str] = {}

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        reply = self._reply(method, path, params=given or None, json=body, headers=dict(headers or {}))
        if reply.status_code >= 400:
            raise ApiError(reply.status_code, _problem(reply))
        if "ETag" in reply.headers:
            self._tags[path] = reply.headers["ETag"]
        return reply.json() if reply.content else None

    def _reply(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The first reply that is not "later"; a request whose reply was lost is repeated where that is safe."""
        safe = method == "GET" or "Idempotency-Key" in request["headers"]
        for attempt in range(1, self._tries + 1):
            try:
                reply = self._http.request(method, path, **request)
            except httpx.TransportError:
                if not safe or attempt == self._tries:
                    raise
                self._sleep(min(30, 2 ** (attempt - 2)))
                continue
            if reply.status_code not in (429, 503) or attempt == self._tries:
                return reply
            self._sleep(_seconds(reply, attempt))
        raise AssertionError("unreachable")

    def _pages(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """Every row of a list, page after page."""
        page = self._call("GET", path, query=query)
        yield from page["results"]
        while page["next"]:
            page = self._call("GET", page["next"])
            yield from page["results"]

    def _tag(self, path: str, given: str | None) -> str:
        """The ETag for a change: the one given, or that of what was read last at this address."""
        if given is None and path not in self._tags:
            raise LookupError(f"Read {path} before you change it, or give the ETag that you saw as if_match.")
        return given or self._tags[path]


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _problem(reply: httpx.Response) -> dict[str, Any]:
    try:
        found = reply.json()
    except ValueError:
        return {"detail": reply.text[:200]}
    return found if isinstance(found, dict) else {"detail": str(found)}


def _seconds(reply: httpx.Response, attempt: int) -> float:
    text = reply.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else float(min(30, 2 ** (attempt - 2)))


AnswerEnum = Literal[
    "1",
    "2",
    "3",
    "4",
    "5",
    "word_too_abstract",
    "image_too_poor",
    "first",
    "second",
    "neither",
    "object",
    "background",
    "both",
    "nothing",
]
ArmsEnum = Literal["daam", "other-word", "blob", "uniform"]
BlankEnum = Literal[""]
CheckConsequenceEnum = Literal["warn", "exclude"]
ColoursEnum = Literal["inferno", "cividis", "grey"]
ConditionEnum = Literal["cohyponyms", "non-cohyponyms"]
DeliveryStateEnum = Literal["waiting", "delivered", "failed", "past"]
DtypeEnum = Literal["float32", "float16", "bfloat16"]
FirstViewEnum = Literal["overlay", "beside"]
GenerationStateEnum = Literal["queued", "claimed", "done", "failed"]
MapSourceEnum = Literal["own", "other-word", "blob", "uniform", "file"]
MeasureEnum = Literal["judgements", "agreement"]
StatusEnum = Literal["rate", "wait", "done", "instructions", "practice", "care", "break"]
StudyKindEnum = Literal["likert", "presence", "change"]
StudyStateEnum = Literal["draft", "open", "paused", "closed"]
WebhookEventEnum = Literal[
    "study.opened",
    "study.paused",
    "study.closed",
    "study.finished",
    "judgements.milestone",
    "enrolment.completed",
    "generations.finished",
    "generations.failed",
    "report.threshold",
]


class AnswerRequest(TypedDict):
    ticket: str
    answer: list[AnswerEnum]
    browser_milliseconds: NotRequired[int | None]
    context: NotRequired[dict[str, Any]]


class Choice(TypedDict):
    value: str
    key: str
    label: str


class Consent(TypedDict):
    version: str
    paragraphs: list[str]


class Delivery(TypedDict):
    """One event for one address, with how sending it went."""

    id: str
    event: WebhookEventEnum
    study: str
    data: dict[str, Any]
    happened_at: str
    state: DeliveryStateEnum
    attempts: int
    due_at: str
    last_attempt_at: str | None
    last_status: int | None
    last_error: str


class EnrolRequest(TypedDict):
    """A person's part in a study. Send ``consent`` only after they have read and accepted the text."""

    study: str
    external_id: NotRequired[str]
    consent: bool
    consent_version: str
    instructions_read: NotRequired[bool]


class Enrolled(TypedDict):
    token: str
    link: str
    study: str
    pseudonym: str
    consent_version: str


class Enrolment(TypedDict):
    """A rater's part in a study."""

    rater: str
    simulated: bool
    source: str
    locale: str
    consent_version: str
    created_at: str
    consented_at: str | None
    instructed_at: str | None
    ready_at: str | None
    screened_out_at: str | None
    check_failure: str
    warned_at: str | None
    completed_at: str | None
    excluded_at: str | None
    exclusion_reason: str


class Generation(TypedDict):
    """An image with its maps, wanted or made."""

    identity: str
    state: GenerationStateEnum
    prompt: str
    recipe: Recipe
    seed: int
    attempts: int
    error: str
    image: str | None
    image_sha256: str
    maps_sha256: str
    seconds: float | None
    queued_at: str
    done_at: str | None


class Images(TypedDict):
    """Images of the items in use."""

    queued: int
    claimed: int
    done: int
    failed: int


class Item(TypedDict):
    """One stimulus of a study."""

    position: int
    prompt: str
    word: Word
    second_word: Word | None
    purpose: str
    condition: ConditionEnum | BlankEnum
    swap_set: str
    arm: str
    map_source: MapSourceEnum
    generation: str
    second_generation: NotRequired[str | None]
    withdrawn_at: str | None


class Judgement(TypedDict):
    seat: int
    answer: list[str]
    revision: int
    surplus: bool
    answered_at: str


class JudgementRow(TypedDict):
    """A stored answer. Nothing is ever overwritten: “fate” says what a report makes of it."""

    id: int
    item: int
    rater: str
    simulated: bool
    answer: list[str]
    fate: str
    revision: int
    current: bool
    surplus: bool
    shown_at: str
    answered_at: str
    browser_milliseconds: int | None
    locale: str
    viewport: str
    renderer: str


class Lease(TypedDict):
    leased_until: str | None


class NewPromptRequest(TypedDict):
    """A caption with all of its words, in reading order."""

    text: str
    source_id: NotRequired[str]
    words: list[NewWordRequest]


class NewRecipeRequest(TypedDict):
    """What draws the images; what is left out is the model's usual."""

    model: str
    revision: NotRequired[str]
    steps: NotRequired[int]
    guidance: NotRequired[float]
    height: NotRequired[int]
    width: NotRequired[int]
    dtype: NotRequired[DtypeEnum]


class NewStudyRequest(TypedDict):
    """A draft study of known stimuli, with an image queued for each."""

    title: str
    seats_per_item: NotRequired[int]
    cap_share: NotRequired[float]
    lease_minutes: NotRequired[int]
    interpretable_minimum: NotRequired[int]
    texts: NotRequired[dict[str, dict[str, Any]]]
    consent_version: NotRequired[str]
    first_view: NotRequired[FirstViewEnum]
    colours: NotRequired[ColoursEnum]
    instructions_shown: NotRequired[bool]
    practice_pass_mark: NotRequired[int]
    practice_attempts: NotRequired[int]
    break_every: NotRequired[int]
    check_every: NotRequired[int]
    checks_may_fail: NotRequired[int]
    check_consequence: NotRequired[CheckConsequenceEnum]
    exclusion_rules: NotRequired[list[dict[str, Any]]]
    adaptive_stages: NotRequired[list[int]]
    adaptive_spread: NotRequired[float]
    organisation: NotRequired[str]
    contact: NotRequired[str]
    ethics_board: NotRequired[str]
    ethics_number: NotRequired[str]
    ethics_contact: NotRequired[str]
    expected_minutes: NotRequired[int | None]
    data_kept: NotRequired[str]
    listed: NotRequired[bool]
    slug: str
    kind: StudyKindEnum
    seed: NotRequired[int]
    source: str
    parser: NotRequired[str]
    recipe: NewRecipeRequest
    stimuli: list[StimulusRequest]
    arms: NotRequired[list[ArmsEnum]]


class NewWebhook(TypedDict):
    """Where word is sent, of what. The number of the report and its bound are for report.threshold alone."""

    id: str
    study: NotRequired[str | None]
    address: str
    events: list[WebhookEventEnum]
    measure: NotRequired[MeasureEnum | BlankEnum]
    above: NotRequired[float | None]
    below: NotRequired[float | None]
    least_judgements: NotRequired[int]
    active: NotRequired[bool]
    created_at: str
    secret: str


class NewWordRequest(TypedDict):
    """A word as a parser saw it."""

    text: str
    start: int
    end: int
    tag: str
    lemma: str
    head: int
    relation: str


class Own(TypedDict):
    study: str
    pseudonym: str
    progress: Progress
    completion_code: str | None


class PaginatedDeliveryList(TypedDict):
    next: str | None
    results: list[Delivery]


class PaginatedEnrolmentList(TypedDict):
    next: str | None
    results: list[Enrolment]


class PaginatedGenerationList(TypedDict):
    next: str | None
    results: list[Generation]


class PaginatedItemList(TypedDict):
    next: str | None
    results: list[Item]


class PaginatedJudgementRowList(TypedDict):
    next: str | None
    results: list[JudgementRow]


class PaginatedStudyDetailList(TypedDict):
    next: str | None
    results: list[StudyDetail]


class PaginatedWebhookList(TypedDict):
    next: str | None
    results: list[Webhook]


class PatchedChangedWebhookRequest(TypedDict):
    """What can be changed; the study stays."""

    address: NotRequired[str]
    events: NotRequired[list[WebhookEventEnum]]
    measure: NotRequired[MeasureEnum | BlankEnum]
    above: NotRequired[float | None]
    below: NotRequired[float | None]
    least_judgements: NotRequired[int]
    active: NotRequired[bool]


class PatchedSettingsRequest(TypedDict):
    """What a study's researcher decides. Most of it is fixed when the study opens."""

    title: NotRequired[str]
    seats_per_item: NotRequired[int]
    cap_share: NotRequired[float]
    lease_minutes: NotRequired[int]
    interpretable_minimum: NotRequired[int]
    texts: NotRequired[dict[str, dict[str, Any]]]
    consent_version: NotRequired[str]
    first_view: NotRequired[FirstViewEnum]
    colours: NotRequired[ColoursEnum]
    instructions_shown: NotRequired[bool]
    practice_pass_mark: NotRequired[int]
    practice_attempts: NotRequired[int]
    break_every: NotRequired[int]
    check_every: NotRequired[int]
    checks_may_fail: NotRequired[int]
    check_consequence: NotRequired[CheckConsequenceEnum]
    exclusion_rules: NotRequired[list[dict[str, Any]]]
    adaptive_stages: NotRequired[list[int]]
    adaptive_spread: NotRequired[float]
    organisation: NotRequired[str]
    contact: NotRequired[str]
    ethics_board: NotRequired[str]
    ethics_number: NotRequired[str]
    ethics_contact: NotRequired[str]
    expected_minutes: NotRequired[int | None]
    data_kept: NotRequired[str]
    listed: NotRequired[bool]


class Places(TypedDict):
    """Places for judgements on the items in use."""

    pending: int
    free: int
    leased: int
    done: int


class Problem(TypedDict):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: NotRequired[dict[str, list[str]]]


class Progress(TypedDict):
    done: int
    total: int


class ProgressOfStudy(TypedDict):
    state: StudyStateEnum
    places: Places
    generations: Images


class Queued(TypedDict):
    queued: int
    left: int


class ReasonRequest(TypedDict):
    reason: str


class Recipe(TypedDict):
    model: str
    revision: str
    steps: int
    guidance: float
    height: int
    width: int
    scheduler: str
    dtype: str


class Report(TypedDict):
    """A measure is an object of value, low and high, or says in “reason” why it is undefined."""

    study: str
    title: str
    kind: StudyKindEnum
    state: StudyStateEnum
    raters_an_item: int
    interpretable_minimum: int
    seed: int
    resamples: int
    confidence: float
    rules: list[dict[str, Any]]
    adaptive: dict[str, Any]
    totals: dict[str, int]
    people: Section
    exclusions: NotRequired[list[dict[str, Any]]]
    sensitivity: NotRequired[list[dict[str, Any]]]
    simulated: NotRequired[Section]
    preregistration: NotRequired[Standing]


class Seat(TypedDict):
    """One stimulus, leased to the caller."""

    id: int
    ticket: str
    leased_until: str
    question: str
    choices: list[Choice]
    several: bool
    prompt: str | None
    target: Target | None
    image: str
    second: Second | None
    heat_map: str | None
    heat_map_values: str | None


class Second(TypedDict):
    """The picture to compare with, of studies of what changed between two."""

    image: str
    prompt: str
    target: Target


class Secret(TypedDict):
    secret: str


class Section(TypedDict):
    """The numbers of one population of raters."""

    population: str
    raters: dict[str, Any]
    rows: list[dict[str, Any]]
    overall: NotRequired[dict[str, Any]]
    contrasts: NotRequired[list[dict[str, Any]]]
    arms: NotRequired[list[dict[str, Any]]]
    difference: NotRequired[dict[str, Any]]
    clustered: NotRequired[dict[str, Any]]
    groups: NotRequired[list[dict[str, Any]]]
    objects: NotRequired[list[dict[str, Any]]]
    crowd: NotRequired[dict[str, Any]]


class Simulated(TypedDict):
    token: str
    rater: str


class Standing(TypedDict):
    """The registration that counts, and what deviates from it."""

    number: int
    registered_at: str
    sha256: str
    judgements: int
    seed: int
    deviations: list[dict[str, Any]]


class StimulusRequest(TypedDict):
    """An item to be: a prompt and the index of its target word; of presence studies also the second noun's."""

    prompt: NewPromptRequest
    word: int
    second_word: NotRequired[int | None]
    condition: NotRequired[ConditionEnum | BlankEnum]
    second_prompt: NotRequired[NewPromptRequest | None]
    swap_set: NotRequired[str]
    image_seed: NotRequired[int | None]


class Study(TypedDict):
    """What a person must be shown before they enrol."""

    slug: str
    title: str
    kind: StudyKindEnum
    state: StudyStateEnum
    question: str
    instructions: list[str]
    consent: Consent


class StudyDetail(TypedDict):
    """A study with all of its settings. How far it is stands apart, so that a rating does not change its ETag."""

    slug: str
    kind: StudyKindEnum
    state: StudyStateEnum
    cap: int | None
    sampling: dict[str, Any]
    created_at: str
    opened_at: str | None
    closed_at: str | None
    title: str
    seats_per_item: int
    cap_share: float
    lease_minutes: int
    interpretable_minimum: int
    texts: dict[str, dict[str, Any]]
    consent_version: str
    first_view: FirstViewEnum
    colours: ColoursEnum
    instructions_shown: bool
    practice_pass_mark: int
    practice_attempts: int
    break_every: int
    check_every: int
    checks_may_fail: int
    check_consequence: CheckConsequenceEnum
    exclusion_rules: list[dict[str, Any]]
    adaptive_stages: list[int]
    adaptive_spread: float
    organisation: str
    contact: str
    ethics_board: str
    ethics_number: str
    ethics_contact: str
    expected_minutes: int | None
    data_kept: str
    listed: bool


class Target(TypedDict):
    text: str
    start: int
    end: int


class Turn(TypedDict):
    """What comes next for a person."""

    status: StatusEnum
    link: str
    seat: Seat | None
    progress: Progress
    completion_code: str | None


class Webhook(TypedDict):
    """Where word is sent, of what. The number of the report and its bound are for report.threshold alone."""

    id: str
    study: NotRequired[str | None]
    address: str
    events: list[WebhookEventEnum]
    measure: NotRequired[MeasureEnum | BlankEnum]
    above: NotRequired[float | None]
    below: NotRequired[float | None]
    least_judgements: NotRequired[int]
    active: NotRequired[bool]
    created_at: str


class WebhookRequest(TypedDict):
    """Where word is sent, of what. The number of the report and its bound are for report.threshold alone."""

    study: NotRequired[str | None]
    address: str
    events: list[WebhookEventEnum]
    measure: NotRequired[MeasureEnum | BlankEnum]
    above: NotRequired[float | None]
    below: NotRequired[float | None]
    least_judgements: NotRequired[int]
    active: NotRequired[bool]


class Word(TypedDict):
    text: str
    start: int
    end: int
    tag: str



class Attest(Connection):
    """The site at an address, as whom the token stands for."""

    def enrol(self, body: EnrolRequest) -> Enrolled:
        """Enrol a person who has consented. Gives the token of all other calls. The same external id gives the same
        enrolment again, at any time."""
        path = "/api/v1/enrolments/"
        found: Enrolled = self._call("POST", path, body=body)
        return found

    def own_progress(self) -> Own:
        """Progress of the caller. How far the caller is, and the completion code at the end."""
        path = "/api/v1/enrolments/mine/"
        found: Own = self._call("GET", path)
        return found

    def list_studies(
        self,
        *,
        cursor: str | None = None,
        kind: Literal["change", "likert", "presence"] | None = None,
        limit: int | None = None,
        state: Literal["closed", "draft", "open", "paused"] | None = None,
    ) -> PaginatedStudyDetailList:
        """Studies that you may read. In the order in which they were made. Scope: read:studies."""
        path = "/api/v1/research/studies/"
        found: PaginatedStudyDetailList = self._call(
            "GET",
            path,
            query={"cursor": cursor, "kind": kind, "limit": limit, "state": state},
        )
        return found

    def iter_studies(
        self,
        *,
        kind: Literal["change", "likert", "presence"] | None = None,
        limit: int | None = None,
        state: Literal["closed", "draft", "open", "paused"] | None = None,
    ) -> Iterator[StudyDetail]:
        """Studies that you may read. In the order in which they were made. Scope: read:studies."""
        path = "/api/v1/research/studies/"
        return self._pages(path, {"kind": kind, "limit": limit, "state": state})

    def create_study(self, body: NewStudyRequest, *, idempotency_key: str | None = None) -> StudyDetail:
        """Make a study of known stimuli. A draft with an image queued for each stimulus; you are its researcher.
        Parse captions yourself first, for instance with `attribution.language`. Without consent settings of its
        own it uses Attest's text. Scope: write:studies."""
        path = "/api/v1/research/studies/"
        found: StudyDetail = self._call(
            "POST",
            path,
            body=body,
            headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4())},
        )
        return found

    def get_study(self, slug: str) -> StudyDetail:
        """A study's settings. Its ETag is what a change of it needs. Scope: read:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/"
        found: StudyDetail = self._call("GET", path)
        return found

    def update_study(self, slug: str, body: PatchedSettingsRequest, *, if_match: str | None = None) -> StudyDetail:
        """Change a study's settings. Only the fields that you send. What the answers depend on is fixed once the
        study has opened. Scope: write:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/"
        found: StudyDetail = self._call("PATCH", path, body=body, headers={"If-Match": self._tag(path, if_match)})
        return found

    def close_study(self, slug: str) -> StudyDetail:
        """Close a study for good. Answers on their way are still taken. It cannot be opened again. Safe to repeat.
        Scope: write:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/close/"
        found: StudyDetail = self._call("POST", path)
        return found

    def list_enrolments(
        self,
        slug: str,
        *,
        completed: bool | None = None,
        cursor: str | None = None,
        excluded: bool | None = None,
        limit: int | None = None,
        simulated: bool | None = None,
        source: str | None = None,
    ) -> PaginatedEnrolmentList:
        """Raters of a study. By pseudonym, in the order in which they came. Scope: read:judgements."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/enrolments/"
        found: PaginatedEnrolmentList = self._call(
            "GET",
            path,
            query={"completed": completed, "cursor": cursor, "excluded": excluded, "limit": limit, "simulated": simulated, "source": source},
        )
        return found

    def iter_enrolments(
        self,
        slug: str,
        *,
        completed: bool | None = None,
        excluded: bool | None = None,
        limit: int | None = None,
        simulated: bool | None = None,
        source: str | None = None,
    ) -> Iterator[Enrolment]:
        """Raters of a study. By pseudonym, in the order in which they came. Scope: read:judgements."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/enrolments/"
        return self._pages(
            path,
            {"completed": completed, "excluded": excluded, "limit": limit, "simulated": simulated, "source": source},
        )

    def get_enrolment(self, rater: str, slug: str) -> Enrolment:
        """A rater in a study. By pseudonym. Scope: read:judgements."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/enrolments/{quote(str(rater), safe='')}/"
        found: Enrolment = self._call("GET", path)
        return found

    def exclude_rater(self, rater: str, slug: str, body: ReasonRequest) -> Enrolment:
        """Exclude a rater. The answers stay stored and count no more. Of somebody who is excluded already the first
        reason stands. Scope: write:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/enrolments/{quote(str(rater), safe='')}/exclude/"
        found: Enrolment = self._call("POST", path, body=body)
        return found

    def restore_rater(self, rater: str, slug: str) -> Enrolment:
        """Lift an exclusion. The answers count again, but for those whose places were given to others. Safe to
        repeat. Scope: write:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/enrolments/{quote(str(rater), safe='')}/restore/"
        found: Enrolment = self._call("POST", path)
        return found

    def list_generations(
        self,
        slug: str,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        state: Literal["claimed", "done", "failed", "queued"] | None = None,
    ) -> PaginatedGenerationList:
        """Images of a study. Those of items in use. “error” says why one failed. Scope: read:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/generations/"
        found: PaginatedGenerationList = self._call(
            "GET",
            path,
            query={"cursor": cursor, "limit": limit, "state": state},
        )
        return found

    def iter_generations(
        self,
        slug: str,
        *,
        limit: int | None = None,
        state: Literal["claimed", "done", "failed", "queued"] | None = None,
    ) -> Iterator[Generation]:
        """Images of a study. Those of items in use. “error” says why one failed. Scope: read:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/generations/"
        return self._pages(path, {"limit": limit, "state": state})

    def get_generation(self, identity: str, slug: str) -> Generation:
        """An image. By its identity: the hash of prompt, recipe and seed. Scope: read:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/generations/{quote(str(identity), safe='')}/"
        found: Generation = self._call("GET", path)
        return found

    def retry_generations(self, slug: str) -> Queued:
        """Queue failed images again. And wakes the workers, also where none had failed. Safe to repeat. Scope:
        write:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/generations/retry/"
        found: Queued = self._call("POST", path)
        return found

    def list_items(
        self,
        slug: str,
        *,
        arm: str | None = None,
        condition: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        purpose: Literal["gold", "instructed", "practice", "rated"] | None = None,
        tag: str | None = None,
        withdrawn: bool | None = None,
    ) -> PaginatedItemList:
        """Items of a study. In the study's order, withdrawn ones and checks too. Scope: read:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/items/"
        found: PaginatedItemList = self._call(
            "GET",
            path,
            query={"arm": arm, "condition": condition, "cursor": cursor, "limit": limit, "purpose": purpose, "tag": tag, "withdrawn": withdrawn},
        )
        return found

    def iter_items(
        self,
        slug: str,
        *,
        arm: str | None = None,
        condition: str | None = None,
        limit: int | None = None,
        purpose: Literal["gold", "instructed", "practice", "rated"] | None = None,
        tag: str | None = None,
        withdrawn: bool | None = None,
    ) -> Iterator[Item]:
        """Items of a study. In the study's order, withdrawn ones and checks too. Scope: read:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/items/"
        return self._pages(
            path,
            {"arm": arm, "condition": condition, "limit": limit, "purpose": purpose, "tag": tag, "withdrawn": withdrawn},
        )

    def get_item(self, position: int, slug: str) -> Item:
        """An item. By its position in the study. Scope: read:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/items/{quote(str(position), safe='')}/"
        found: Item = self._call("GET", path)
        return found

    def withdraw_item(self, position: int, slug: str) -> Item:
        """Take an item out of a study. Its judgements stay stored and count no more. Safe to repeat. Refused (409)
        for the last practice item or check that a running study asks for. Scope: write:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/items/{quote(str(position), safe='')}/withdraw/"
        found: Item = self._call("POST", path)
        return found

    def list_judgements(
        self,
        slug: str,
        *,
        answered_after: str | None = None,
        answered_before: str | None = None,
        counted: bool | None = None,
        cursor: str | None = None,
        item: int | None = None,
        limit: int | None = None,
        rater: str | None = None,
        simulated: bool | None = None,
    ) -> PaginatedJudgementRowList:
        """Judgements of a study. Every stored answer, in the order in which they came, whether a report counts it or
        not. Scope: read:judgements."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/judgements/"
        found: PaginatedJudgementRowList = self._call(
            "GET",
            path,
            query={"answered_after": answered_after, "answered_before": answered_before, "counted": counted, "cursor": cursor, "item": item, "limit": limit, "rater": rater, "simulated": simulated},
        )
        return found

    def iter_judgements(
        self,
        slug: str,
        *,
        answered_after: str | None = None,
        answered_before: str | None = None,
        counted: bool | None = None,
        item: int | None = None,
        limit: int | None = None,
        rater: str | None = None,
        simulated: bool | None = None,
    ) -> Iterator[JudgementRow]:
        """Judgements of a study. Every stored answer, in the order in which they came, whether a report counts it or
        not. Scope: read:judgements."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/judgements/"
        return self._pages(
            path,
            {"answered_after": answered_after, "answered_before": answered_before, "counted": counted, "item": item, "limit": limit, "rater": rater, "simulated": simulated},
        )

    def open_study(self, slug: str) -> StudyDetail:
        """Open a study to raters. Makes the places and fixes the cap; a paused study goes on with those it has. Safe
        to repeat. Scope: write:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/open/"
        found: StudyDetail = self._call("POST", path)
        return found

    def pause_study(self, slug: str) -> StudyDetail:
        """Pause a study. Hands out nothing more for now; answers on their way are still taken. Safe to repeat.
        Scope: write:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/pause/"
        found: StudyDetail = self._call("POST", path)
        return found

    def get_progress(self, slug: str) -> ProgressOfStudy:
        """How far a study is. Places for judgements, and images, by their state. Scope: read:studies."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/progress/"
        found: ProgressOfStudy = self._call("GET", path)
        return found

    def get_report(self, slug: str, *, simulated: bool | None = None) -> Report:
        """A study's report. From the judgements as they stand; people alone unless asked. Every column is explained
        in the docs. Scope: read:reports."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/report/"
        found: Report = self._call("GET", path, query={"simulated": simulated})
        return found

    def add_simulated_rater(self, slug: str, *, idempotency_key: str | None = None) -> Simulated:
        """Enrol a program as a rater. Marked as simulated for good: no report counts its answers unless it is asked
        to. It needs neither instructions nor practice, but it takes places that people could have. Scope: rater."""
        path = f"/api/v1/research/studies/{quote(str(slug), safe='')}/simulated-raters/"
        found: Simulated = self._call("POST", path, headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4())})
        return found

    def list_webhooks(self, *, cursor: str | None = None, limit: int | None = None) -> PaginatedWebhookList:
        """Your webhooks. Their secrets are not told again. Scope: write:studies."""
        path = "/api/v1/research/webhooks/"
        found: PaginatedWebhookList = self._call("GET", path, query={"cursor": cursor, "limit": limit})
        return found

    def iter_webhooks(self, *, limit: int | None = None) -> Iterator[Webhook]:
        """Your webhooks. Their secrets are not told again. Scope: write:studies."""
        path = "/api/v1/research/webhooks/"
        return self._pages(path, {"limit": limit})

    def create_webhook(self, body: WebhookRequest, *, idempotency_key: str | None = None) -> NewWebhook:
        """Register a webhook. Word of what happens from now on, in one study or in all that you run. Scope:
        write:studies."""
        path = "/api/v1/research/webhooks/"
        found: NewWebhook = self._call(
            "POST",
            path,
            body=body,
            headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4())},
        )
        return found

    def get_webhook(self, webhook: str) -> Webhook:
        """A webhook. Its ETag is what a change of it needs. Scope: write:studies."""
        path = f"/api/v1/research/webhooks/{quote(str(webhook), safe='')}/"
        found: Webhook = self._call("GET", path)
        return found

    def update_webhook(
        self,
        webhook: str,
        body: PatchedChangedWebhookRequest,
        *,
        if_match: str | None = None,
    ) -> Webhook:
        """Change a webhook. While it is not active nothing is sent, and nothing is lost. Scope: write:studies."""
        path = f"/api/v1/research/webhooks/{quote(str(webhook), safe='')}/"
        found: Webhook = self._call("PATCH", path, body=body, headers={"If-Match": self._tag(path, if_match)})
        return found

    def delete_webhook(self, webhook: str, *, if_match: str | None = None) -> None:
        """Delete a webhook. With its log; what is still to be sent is not. Scope: write:studies."""
        path = f"/api/v1/research/webhooks/{quote(str(webhook), safe='')}/"
        self._call("DELETE", path, headers={"If-Match": self._tag(path, if_match)})

    def list_deliveries(
        self,
        webhook: str,
        *,
        cursor: str | None = None,
        event: Literal["enrolment.completed", "generations.failed", "generations.finished", "judgements.milestone", "report.threshold", "study.closed", "study.finished", "study.opened", "study.paused"] | None = None,
        limit: int | None = None,
        state: Literal["delivered", "failed", "past", "waiting"] | None = None,
    ) -> PaginatedDeliveryList:
        """What was sent. Each event with its state, attempts, and the last error. Scope: write:studies."""
        path = f"/api/v1/research/webhooks/{quote(str(webhook), safe='')}/deliveries/"
        found: PaginatedDeliveryList = self._call(
            "GET",
            path,
            query={"cursor": cursor, "event": event, "limit": limit, "state": state},
        )
        return found

    def iter_deliveries(
        self,
        webhook: str,
        *,
        event: Literal["enrolment.completed", "generations.failed", "generations.finished", "judgements.milestone", "report.threshold", "study.closed", "study.finished", "study.opened", "study.paused"] | None = None,
        limit: int | None = None,
        state: Literal["delivered", "failed", "past", "waiting"] | None = None,
    ) -> Iterator[Delivery]:
        """What was sent. Each event with its state, attempts, and the last error. Scope: write:studies."""
        path = f"/api/v1/research/webhooks/{quote(str(webhook), safe='')}/deliveries/"
        return self._pages(path, {"event": event, "limit": limit, "state": state})

    def redeliver(self, delivery: str, webhook: str) -> Delivery:
        """Send a delivery again. Under its first id, by which the receiver knows it. One that is still to be sent
        anyway stays as it is. Scope: write:studies."""
        path = f"/api/v1/research/webhooks/{quote(str(webhook), safe='')}/deliveries/{quote(str(delivery), safe='')}/redeliver/"
        found: Delivery = self._call("POST", path)
        return found

    def renew_webhook_secret(self, webhook: str, *, idempotency_key: str | None = None) -> Secret:
        """Make a new secret. Everything sent from now on is signed with it, repeats of earlier deliveries too.
        Scope: write:studies."""
        path = f"/api/v1/research/webhooks/{quote(str(webhook), safe='')}/secret/"
        found: Secret = self._call("POST", path, headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4())})
        return found

    def claim(self) -> Turn:
        """Claim a seat, or get the one held. What comes next for the caller. Asked again before the answer it is the
        same seat, its lease renewed."""
        path = "/api/v1/seats/"
        found: Turn = self._call("POST", path)
        return found

    def heartbeat(self, seat: int) -> Lease:
        """Keep a seat. Extends the lease of a seat that the caller holds; send one a minute while a person looks at
        it."""
        path = f"/api/v1/seats/{quote(str(seat), safe='')}/heartbeat/"
        found: Lease = self._call("POST", path)
        return found

    def judge(self, seat: int, body: AnswerRequest, *, idempotency_key: str | None = None) -> Judgement:
        """Answer. Stored for good when this answers 200. Safe to repeat: the same key and body get the first reply;
        another body under the same key gets 409, and the first one stands. With a new key it is a correction."""
        path = f"/api/v1/seats/{quote(str(seat), safe='')}/judgement/"
        found: Judgement = self._call(
            "POST",
            path,
            body=body,
            headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4())},
        )
        return found

    def release(self, seat: int) -> Lease:
        """Give a seat back. Frees a seat that the caller holds, unanswered, for others; the caller may get it again."""
        path = f"/api/v1/seats/{quote(str(seat), safe='')}/release/"
        found: Lease = self._call("POST", path)
        return found

    def about_study(self, slug: str) -> Study:
        """What to show before enrolling. Question, instructions and consent text, in the language of Accept-
        Language."""
        path = f"/api/v1/studies/{quote(str(slug), safe='')}/"
        found: Study = self._call("GET", path)
        return found
