from __future__ import annotations

import json
from pathlib import Path

import pytest

from attribution.errors import CaptionError
from attribution.language.captions import Caption, load_captions


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_coco_captions_keep_their_annotation_ids(tmp_path: Path):
    annotations = [{"id": 7, "image_id": 1, "caption": "A cat. \n"}, {"id": 9, "image_id": 1, "caption": " Two  dogs"}]
    path = write(tmp_path / "captions_x.json", json.dumps({"info": {}, "annotations": annotations}))
    assert load_captions(path) == [Caption("A cat.", "7"), Caption("Two dogs", "9")]


def test_a_text_file_has_one_caption_a_line_and_blank_lines_count_as_lines(tmp_path: Path):
    path = write(tmp_path / "captions.txt", "\ufeffA cat\r\n\r\n \t\r\nTwo dogs")
    assert load_captions(path) == [Caption("A cat", "1"), Caption("Two dogs", "4")]


def test_a_csv_file_has_a_caption_column_and_perhaps_ids(tmp_path: Path):
    path = write(tmp_path / "captions.csv", 'id,caption\na1,"A cat, asleep"\n,Two dogs\n')
    assert load_captions(str(path)) == [Caption("A cat, asleep", "a1"), Caption("Two dogs", "3")]


def test_the_first_of_equal_captions_stays(tmp_path: Path):
    path = write(tmp_path / "captions.txt", "A cat\nTwo dogs\n A  cat \na cat\n")
    assert load_captions(path) == [Caption("A cat", "1"), Caption("Two dogs", "2"), Caption("a cat", "4")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"annotations":\n [}', r"a\.json, line 2: not JSON"),
        ("a.json", "[]", r"a\.json: no list 'annotations'"),
        ("a.json", '{"images": []}', r"no list 'annotations'; give one of COCO's"),
        ("a.json", '{"annotations": [{"caption": "A cat"}, {"bbox": []}]}', r"annotations\[1\] has no text 'caption'"),
        ("a.json", '{"annotations": [{"caption": 3}]}', r"annotations\[0\] has no text 'caption'"),
        ("a.json", '{"annotations": []}', r"a\.json: holds no caption"),
        ("a.csv", "id,text\n1,A cat\n", r"a\.csv, line 1: no column 'caption' among: id, text"),
        ("a.csv", "", r"a\.csv, line 1: no column 'caption' among: none"),
        ("a.csv", "id,caption\n1,A cat, asleep\n", r"a\.csv, line 2: not as many fields"),
        ("a.csv", "id,caption\n1,A cat\n2\n", r"a\.csv, line 3: not as many fields"),
        ("a.csv", 'caption\n"A "cat"\n', r"a\.csv, near line 2: not CSV"),
        ("a.txt", " \n\n", r"a\.txt: holds no caption"),
        ("a.txt", b"A caf\xe9", r"a\.txt: byte 5 is not UTF-8; save the file as UTF-8"),
        ("a.xml", "<a/>", r"a\.xml: cannot read captions from '\.xml'; give one of \.csv, \.json, \.txt"),
    ],
)
def test_malformed_files_are_refused_with_place_and_remedy(tmp_path: Path, name: str, content: str, message: str):
    with pytest.raises(CaptionError, match=message):
        load_captions(write(tmp_path / name, content))


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(CaptionError, match=r"none\.txt: No such file or directory; check the path"):
        load_captions(tmp_path / "none.txt")


def test_the_real_captions_load(shared_data: Path):
    path = shared_data / "coco" / "captions_val2017.json"
    captions = load_captions(path)
    texts = {" ".join(item["caption"].split()) for item in json.loads(path.read_text())["annotations"]}
    assert {caption.text for caption in captions} == texts
    assert len(captions) == len(texts)
