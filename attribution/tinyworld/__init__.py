"""A procedural world of cheerful flat scenes, and the training of the small text-to-image model shipped with Attest.

Its captions know each word's tag and what the word shows; its scenes come with exact masks. Importing this package
loads neither torch nor diffusers; :mod:`attribution.tinyworld.train` and :mod:`attribution.tinyworld.evaluate` do.
"""

from attribution.tinyworld.grammar import Caption, CaptionWord, Thing, captions
from attribution.tinyworld.presence import PresencePrompt, presence_prompts

__all__ = ["Caption", "CaptionWord", "PresencePrompt", "Thing", "captions", "presence_prompts"]
