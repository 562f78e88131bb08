"""Finding finished generations by their prompt and its words, and naming one word of one image in an address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from annotation_site.stimuli.addresses import heat_map_url, image_url
from annotation_site.stimuli.models import Generation, Recipe, Word

REFERENCE = re.compile(r"([0-9a-f]{64}):(\d{1,6})-(\d{1,6})")
TAGS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
CONTENT = frozenset({"NOUN", "PROPN", "VERB", "ADJ"})


class UnknownReference(Exception):
    """An address names an image or a word that there is not; the message says which."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: a part of the prompt, and one word with this text or lemma and this tag."""

    prompt: str = ""
    word: str = ""
    tag: str = ""
    recipe: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Search:
        """From an address's query; NUL, which PostgreSQL refuses, is left out, and an unknown choice is none."""
        prompt, word, tag, recipe = (
            query.get(name, "").replace("\0", "").strip() for name in ("prompt", "word", "tag", "recipe")
        )
        known = re.fullmatch(r"[0-9]{1,9}", recipe)
        return cls(prompt, word, tag if tag in TAGS else "", recipe if known else "")

    def matches(self, word: Word) -> bool:
        """Whether this is a word that was looked for; False where none was."""
        if not self.word and not self.tag:
            return False
        texts = {word.text.lower(), word.lemma.lower()}
        return (not self.word or self.word.lower() in texts) and self.tag in ("", word.tag)

    def among(self, generations: QuerySet[Generation]) -> QuerySet[Generation]:
        """The finished ones that match, the newest first, with prompt, recipe and words."""
        found = _whole(generations)
        if self.prompt:
            found = found.filter(prompt__text__icontains=self.prompt)
        if self.recipe:
            found = found.filter(recipe=int(self.recipe))
        if self.word or self.tag:
            found = found.filter(Exists(self._words()))
        return found.order_by("-id")

    def _words(self) -> QuerySet[Word]:
        words = Word.objects.filter(prompt=OuterRef("prompt"))
        if self.word:
            words = words.filter(Q(text__iexact=self.word) | Q(lemma__iexact=self.word))
        return words.filter(tag=self.tag) if self.tag else words


@dataclass(frozen=True, slots=True)
class Shown:
    """A generation with the one of its words whose map is shown."""

    generation: Generation
    words: tuple[Word, ...]
    word: Word | None

    @property
    def image(self) -> str:
        return image_url(self.generation)

    @property
    def overlay(self) -> str:
        return self._map("overlay")

    @property
    def map(self) -> str:
        return self._map("map")

    @property
    def reference(self) -> str:
        return reference(self.generation, self.word) if self.word else ""

    @property
    def parts(self) -> list[tuple[str, Word | None, str, str]]:
        """The prompt in reading order: text between words, then a word with the addresses of its two maps."""
        text, at = self.generation.prompt.text, 0
        parts: list[tuple[str, Word | None, str, str]] = []
        for word in self.words:
            if word.start < at:
                continue
            overlay, opaque = (heat_map_url(self.generation, word, layer=layer) for layer in ("overlay", "map"))
            parts += [(text[at : word.start], None, "", ""), (text[word.start : word.end], word, overlay, opaque)]
            at = word.end
        return [*parts, (text[at:], None, "", "")]

    def _map(self, layer: str) -> str:
        return heat_map_url(self.generation, self.word, layer=layer) if self.word else ""


def shown(generation: Generation, search: Search) -> Shown:
    """The generation with the word that was looked for, or else its first noun, verb or adjective, or first word."""
    words = tuple(generation.prompt.words.all())
    content = (word for word in words if word.tag in CONTENT)
    found = next((word for word in words if search.matches(word)), None)
    return Shown(generation, words, found or next(content, None) or next(iter(words), None))


def reference(generation: Generation, word: Word) -> str:
    """``IDENTITY:START-END``: one word of one image."""
    return f"{generation.identity}:{word.start}-{word.end}"


def referenced(references: Iterable[str], among: QuerySet[Generation]) -> list[Shown]:
    """What the references name, in their order, in three queries; raises UnknownReference."""
    wanted = [(text, REFERENCE.fullmatch(text)) for text in references]
    identities = {match[1] for _, match in wanted if match}
    found = {each.identity: each for each in _whole(among.filter(identity__in=identities))}
    return [_referenced(text, match, found) for text, match in wanted]


def one(identity: str, place: str, among: QuerySet[Generation]) -> Shown:
    """A generation by its identity with its word at ``START-END``, or a first word; raises UnknownReference."""
    if place:
        return referenced([f"{identity}:{place}"], among)[0]
    generation = _whole(among.filter(identity=identity)).first()
    if generation is None:
        raise UnknownReference(f"There is no finished image {identity}.")
    return shown(generation, Search())


def of_same_prompt(chosen: Shown, limit: int, among: QuerySet[Generation]) -> list[str]:
    """References to the chosen word in every finished image of the same prompt text, of all recipes and seeds."""
    word = chosen.word
    if word is None:
        return []
    same = among.filter(state=Generation.State.DONE, prompt__text=chosen.generation.prompt.text)
    # Another parser may have cut another prompt row's words elsewhere.
    own = Word.objects.filter(prompt=OuterRef("prompt"), start=word.start, end=word.end)
    rows = same.filter(Exists(own)).order_by("recipe", "seed")
    return [f"{identity}:{word.start}-{word.end}" for identity in rows.values_list("identity", flat=True)[:limit]]


def recipes(among: QuerySet[Generation]) -> QuerySet[Recipe]:
    """Those that drew any of the finished ones."""
    drawn = among.filter(state=Generation.State.DONE, recipe=OuterRef("pk"))
    return Recipe.objects.filter(Exists(drawn)).order_by("pk")


def _whole(generations: QuerySet[Generation]) -> QuerySet[Generation]:
    words = Prefetch("prompt__words", queryset=Word.objects.order_by("index"))
    done = generations.filter(state=Generation.State.DONE)
    return done.select_related("prompt", "recipe").prefetch_related(words)


def _referenced(text: str, match: re.Match[str] | None, found: Mapping[str, Generation]) -> Shown:
    if match is None:
        raise UnknownReference(f"{text[:100]!r} names no word of an image: IDENTITY:START-END is needed.")
    identity, start, end = match[1], int(match[2]), int(match[3])
    if identity not in found:
        raise UnknownReference(f"There is no finished image {identity}.")
    words = tuple(found[identity].prompt.words.all())
    for word in words:
        if (word.start, word.end) == (start, end):
            return Shown(found[identity], words, word)
    raise UnknownReference(f"The prompt of {identity} has no word at {start}-{end}.")
