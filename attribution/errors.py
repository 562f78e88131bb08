"""The package's own exceptions, so that one ``except AttributionError`` catches all of them.

::

    AttributionError
    +-- CaptionError            a caption file cannot be read
    +-- LanguageError           a language pipeline is missing or lacks what a UD analysis needs
    +-- SamplingError           fewer word-prompt pairs than asked for
    +-- PipelineError           a text-to-image pipeline is missing or cannot be loaded
    +-- TraceError              attention cannot be traced, or nothing was traced
    +-- WordError               a word has no heat map
    |   +-- WordNotInPrompt     the offsets or the text are not in the prompt
    |   +-- WordPastTheCut      the text encoder cut the prompt off before the word
    +-- MapFileError            a heat-map file is corrupt or of another kind
    +-- GenerationError         a stored generation lacks its prompt, words or image
    +-- SegmentationError       masks are malformed, or a segmenter cannot work on the image
    +-- SegmenterError          a segmenter is unknown, missing, or cannot be loaded
    +-- AnalysisError           ratings are not a table that a statistic can be computed from
"""


class AttributionError(Exception):
    """Base of every error raised on purpose by :mod:`attribution`."""


class CaptionError(AttributionError):
    """A caption file is missing, empty or malformed."""


class LanguageError(AttributionError):
    """A language pipeline is missing, or lacks the components or labels of a UD analysis."""


class SamplingError(AttributionError):
    """The captions hold fewer word-prompt pairs than asked for."""


class PipelineError(AttributionError):
    """A text-to-image pipeline is missing, or its files cannot be loaded."""


class TraceError(AttributionError):
    """A pipeline's attention cannot be traced, or no call of it was traced."""


class WordError(AttributionError):
    """A word of a prompt has no heat map."""


class WordNotInPrompt(WordError):
    """The offsets or the text asked for do not name a word of the prompt."""


class WordPastTheCut(WordError):
    """The text encoder cut the prompt off before the word."""


class MapFileError(AttributionError):
    """A heat-map file is missing, corrupt, or not one of ours."""


class GenerationError(AttributionError):
    """A stored generation lacks its prompt, its words or its image, or they cannot be read."""


class SegmentationError(AttributionError):
    """Masks are malformed, or a segmenter cannot work on the image."""


class SegmenterError(AttributionError):
    """A segmenter is unknown or missing, or its files cannot be loaded."""


class AnalysisError(AttributionError):
    """Ratings, counts or options do not make a table that a statistic can be computed from."""
