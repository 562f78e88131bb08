"""The whole way once, in a browser: consent, instructions, practice, items with a check and a break, the end."""

from __future__ import annotations

import pytest

from annotation_site.raters.models import Enrolment, PracticeAnswer
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement
from annotation_site.studies.gold import add_known_item
from annotation_site.studies.models import Study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def study(make_study) -> Study:
    """Two items, one to practise on that must be got right, and one instructed check after the first answer."""
    study = make_study(items=2, opened=False)
    Study.objects.update(
        instructions_shown=True, practice_pass_mark=100, check_every=1, break_every=1, checks_may_fail=0
    )
    first, second = study.items.select_related("generation__prompt", "word")
    for item in (first, second):
        item.generation.prompt.words.filter(text="red").update(tag="NOUN")
    runs = [item.generation.prompt.words.get(text="runs") for item in (first, second)]
    add_known_item(study, first.generation, runs[0], purpose="practice", known={"lowest": 4, "highest": 5})
    add_known_item(study, second.generation, runs[1], purpose="instructed", known={"lowest": 5, "highest": 5})
    study.refresh_from_db()
    assignment.open_study(study)
    return study


def whole_way(visitor) -> list[str]:
    """The headings met on the way; at each page axe looks for what excludes people."""
    from axe_playwright_python.sync_playwright import Axe

    page, met = visitor.page, []

    def look(width: int = 360) -> str:
        # The narrowest phone of the budget; a page wider than it would scroll sideways.
        page.set_viewport_size({"width": width, "height": 800})
        heading = page.locator("h1").first.inner_text().partition("\n")[0]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, heading
        found = Axe().run(page, options={"runOnly": AXE}).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == [], heading
        met.append(heading)
        return heading

    def press(name: str) -> None:
        with page.expect_navigation():
            page.get_by_role("button", name=name).click()

    def answer(label: str) -> None:
        visitor.choose(label)
        visitor.submit()

    page.goto("/studies/study/")
    page.get_by_label("I want to take part").check()
    press("Start")
    look()
    press("Start the practice")
    answer("Bad")
    look()
    press("Practise again")
    answer("Excellent")
    look()
    press("Begin")
    answer("Fair")
    look()
    # Left on the way, and back on another page by the same link.
    link = page.url.removesuffix("break/")
    page.goto("/")
    page.goto(link)
    look(320)
    press("Go on")
    look()
    answer("Bad")
    look()
    press("Go on")
    answer("Fair")
    look()
    return met


def test_the_whole_way(drive, study):
    assert drive(whole_way) == [
        "Instructions",
        "Another answer fits better",
        "That fits",
        "Time for a break, if you like",
        "Time for a break, if you like",
        "For this one, choose “Excellent”.",
        "Please read each question",
        "Thank you",
    ]
    enrolment = Enrolment.objects.get()
    assert [answer.acceptable for answer in PracticeAnswer.objects.order_by("id")] == [False, True]
    assert None not in (enrolment.instructed_at, enrolment.ready_at, enrolment.warned_at, enrolment.completed_at)
    assert enrolment.excluded_at is None
    assert Judgement.objects.counted().count() == 2
    assert Judgement.objects.count() == 3
