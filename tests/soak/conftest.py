"""Minutes of attack, run by naming this folder (``pytest tests/soak``); the rest of the suite leaves it out."""

from tests.annotation_site.conftest import (  # noqa: F401
    _nothing_remembered,
    _own_media_folder,
    finish,
    make_study,
)
