"""Tables that carry what another model suggests: which columns are taken for it, and how their cells are read."""

import json
from decimal import Decimal

import pyarrow
import pytest

from annotations.exporters import csv_long, csv_rows
from annotations.importers.base import ItemError, StagedFile, Words
from annotations.importers.suggested import MAX_SUGGESTIONS, Suggested
from annotations.importers.tables import mapping, pictures, preview
from annotations.importers.tables.base import OpenedTable
from tests.annotations.importers.test_tables import brought, errors, opened, parquet, words

LIST = [{"tag": "dog", "score": 0.9}, {"tag": "cat", "score": 0.2}]
OBJECT = {"cat": 0.2, "dog": 0.9}
SAID = Suggested("clip-7", {"dog": 0.9, "cat": 0.2})
HASH = "ab" * 32


@pytest.fixture(autouse=True)
def no_server_folders(settings):
    settings.IMPORT_ROOTS = []


def lines(*rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def quoted(cell):
    return '"' + json.dumps(cell).replace('"', '""') + '"'


def suggested(data, name="t.csv", **options):
    """Model and scores, by the name of the picture."""
    said = words(data, name, **options)
    return {
        of: one.suggested and (one.suggested.model, dict(one.suggested.scores)) for of, one in said.items()
    }


def targets(data, name="t.csv", said=None):
    return mapping.read(opened(data, name), said).targets


def row_of_json(**cells):
    return lines({"path": "a.jpg", **cells})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv", f"path,suggestions,model_version\na.jpg,{quoted(LIST)},clip-7\n".encode()),
        ("t.csv", f"path;predictions;model\na.jpg;{quoted(OBJECT)};clip-7\n".encode()),
        ("t.tsv", f"path\tPredicted\tModel Name\na.jpg\t{json.dumps(LIST)}\t clip-7 \n".encode()),
        ("t.jsonl", row_of_json(suggestions=LIST, model_version="clip-7")),
        ("t.jsonl", row_of_json(model="clip-7", suggestions=OBJECT)),
        ("t.jsonl", row_of_json(suggestions=json.dumps(LIST), model="clip-7")),
        ("t.json", json.dumps([{"path": "a.jpg", "predictions": LIST, "model": "clip-7"}]).encode()),
        ("t.parquet", parquet(path=["a.jpg"], suggestions=[LIST], model_version=["clip-7"])),
        ("t.parquet", parquet(path=["a.jpg"], predicted=[json.dumps(OBJECT)], model=["clip-7"])),
        ("t.parquet", parquet(path=["a.jpg"], predictions=[{**OBJECT, "owl": None}], model=["clip-7"])),
        (
            "t.parquet",
            parquet(
                path=["a.jpg"],
                suggestions=pyarrow.array(
                    [list(OBJECT.items())], pyarrow.map_(pyarrow.string(), pyarrow.float64())
                ),
                model=["clip-7"],
            ),
        ),
        (
            "t.parquet",
            parquet(
                path=["a.jpg"],
                suggestions=[[{"tag": tag, "score": Decimal(str(score))} for tag, score in OBJECT.items()]],
                model=["clip-7"],
            ),
        ),
    ],
    ids=[
        *("csv", "csv of objects", "tsv", "jsonl", "jsonl of objects", "text in jsonl", "json list"),
        *("structs", "text in parquet", "struct of tags", "map", "decimals"),
    ],
)  # fmt: skip
def test_every_format_says_what_another_model_suggests(name, data):
    assert words(data, name) == {"a.jpg": Words(suggested=SAID)}
    assert list(words(data, name)["a.jpg"].suggested.scores) == ["dog", "cat"]


@pytest.mark.parametrize("cell", [None, "", " ", [], {}, "[]", "{ }", "null", {"dog": None}])
def test_an_empty_cell_suggests_nothing(cell):
    data = lines({"path": "a.jpg", "suggestions": cell, "model": "m"}, {"path": "b.jpg", "suggestions": LIST})
    assert errors(data, "t.jsonl") == []
    assert suggested(data, "t.jsonl") == {"a.jpg": None, "b.jpg": ("another model", dict(SAID.scores))}


def test_only_the_best_are_kept_and_of_one_tag_the_better_score():
    many = [{"tag": f"tag {n}", "score": n / 100} for n in range(50)] + [{"tag": " tag 7 ", "score": 1}]
    found = suggested(row_of_json(suggestions=many), "t.jsonl")["a.jpg"][1]
    assert len(found) == MAX_SUGGESTIONS and next(iter(found.items())) == ("tag 7", 1.0)


@pytest.mark.parametrize(
    ("cell", "code", "message"),
    [
        ([{"tag": "dog", "score": 1.5}], "bad_score", "Expected the score of “dog” to be a number from 0 to 1, got"),
        ([{"tag": "dog"}], "bad_score", "got None."),
        ([{"tag": "dog", "score": True}], "bad_score", "got True."),
        ({"dog": "0.9"}, "bad_score", "got 0.9."),
        ('{"dog": NaN}', "bad_score", "got nan."),
        ([{"label": "dog", "score": 0.9}], "bad_suggestions", "the name of a tag under `tag`, got dict."),
        ({" ": 0.9}, "bad_suggestions", "scores by the name of a tag"),
        (["dog"], "bad_suggestions", "got str."),
        (0.9, "bad_suggestions", "a list of {tag, score} or an object of scores by tag, got float."),
        ("dog|cat", "bad_suggestions", "Expected suggestions to be JSON"),
        ("[{'tag': 'dog', 'score': 0.9}]", "bad_suggestions", "with straight quotes, got “[{'tag': 'dog'"),
        ("[" * 100_000, "bad_suggestions", "Expected suggestions to be JSON"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named_and_its_picture_lands_without_suggestions(cell, code, message):
    data = lines(
        {"path": "a.jpg", "caption": "x", "suggestions": cell}, {"path": "b.jpg", "suggestions": LIST}
    )
    (error,) = [one for one in brought(data, "t.jsonl") if isinstance(one, ItemError)]
    assert (error.item, error.code, error.is_part) == ("t.jsonl, line 1, column “suggestions”", code, True)
    assert message in error.message
    said = words(data, "t.jsonl")
    assert said["a.jpg"] == Words("x") and said["b.jpg"].suggested.scores == SAID.scores


def test_a_bad_cell_of_csv_is_named_by_row_and_column():
    data = f"path,suggestions\na.jpg,{quoted(LIST)}\nb.jpg,dog\n".encode()
    assert errors(data) == [("t.csv, row 3, column “suggestions”", "bad_suggestions")]
    assert suggested(data)["b.jpg"] is None


def test_a_model_without_a_readable_name_has_the_usual_one_and_is_told():
    data = lines(
        {"path": "a.jpg", "suggestions": LIST, "model": {"id": 7}},
        {"path": "b.jpg", "suggestions": LIST, "model": " "},
        {"path": "c.jpg", "suggestions": LIST, "model": 7},
        {"path": "d.jpg", "model": {"id": 7}},
    )
    assert errors(data, "t.jsonl") == [("t.jsonl, line 1, column “model”", "bad_suggestions")]
    found = suggested(data, "t.jsonl")
    assert [found[name] and found[name][0] for name in found] == ["another model", "another model", "7", None]


def test_rows_about_one_picture_gather_what_one_model_suggests_and_keep_the_later_of_two():
    data = lines(
        {"path": "a.jpg", "suggestions": {"dog": 0.9}, "model": "m"},
        {"path": "a.jpg", "suggestions": {"cat": 0.2, "dog": 0.5}, "model": "m"},
        {"path": "a.jpg", "caption": "x"},
        {"path": "b.jpg", "suggestions": {"dog": 0.9}, "model": "m"},
        {"path": "b.jpg", "suggestions": {"cat": 0.2}, "model": "n"},
    )
    assert suggested(data, "t.jsonl") == {"a.jpg": ("m", OBJECT), "b.jpg": ("n", {"cat": 0.2})}


def test_a_key_that_comes_late_in_json_is_known_by_its_name_and_in_any_order():
    data = lines(
        *({"path": f"{n}.jpg"} for n in range(200)),
        {"path": "y.jpg", "model_version": {"id": 7, "number": 3}},
        {"path": "z.jpg", "model_version": "clip-7", "suggestions": LIST},
    )
    assert errors(data, "t.jsonl") == []
    assert words(data, "t.jsonl")["z.jpg"] == Words(suggested=SAID)


class TestWhichColumns:
    """A column that meant nothing, or something else, goes on doing so unless its cells tell of suggestions."""

    @pytest.mark.parametrize(
        "cells", [("dog", "cat"), ("0.9", "0.1"), ("1", "0"), ('[{"label": "dog"}]', "[0.1]")]
    )
    @pytest.mark.parametrize("name", ["predictions", "predicted"])
    def test_predictions_that_are_classes_numbers_or_boxes_are_left_out_as_before(self, name, cells):
        first, second = (cell.replace('"', '""') for cell in cells)
        data = f'path,{name},model\na.jpg,"{first}",m\nb.jpg,"{second}",m\n'.encode()
        assert targets(data) == {"path": "path", name: "", "model": ""}
        assert words(data) == {"a.jpg": Words(), "b.jpg": Words()} and errors(data) == []

    def test_of_two_columns_the_one_with_scores_is_taken(self):
        data = f"path,predicted,predictions\na.jpg,dog,{quoted(OBJECT)}\n".encode()
        assert targets(data) == {"path": "path", "predicted": "", "predictions": "suggestions"}

    def test_what_our_own_api_answers_is_no_other_models(self):
        answer = [{"tag": {"id": 4, "name": "dog"}, "score": 0.93, "offered": True}]
        data = row_of_json(suggestions=answer, model_version={"id": 7, "number": 3})
        assert targets(data, "t.jsonl") == {"path": "path", "suggestions": "", "model_version": ""}
        assert errors(data, "t.jsonl") == []

    def test_a_model_without_suggestions_is_left_out_as_before(self):
        assert targets(b"path,model,model_name,model_version\na.jpg,X100,x,3\n") == {
            "path": "path", "model": "", "model_name": "", "model_version": "",
        }  # fmt: skip

    def test_names_of_pictures_in_a_column_of_predictions_still_name_them(self):
        assert targets(b"predicted,caption\na.jpg,x\n") == {"predicted": "path", "caption": "caption"}

    @pytest.mark.parametrize("columns", [csv_rows.COLUMNS, csv_long.COLUMNS])
    def test_our_own_exports_keep_the_meaning_of_their_columns(self, columns):
        filled = {
            "sha256": HASH,
            "name": "a.jpg",
            "tag": "dog",
            "verdict": "yes",
            "model_version": "3",
            "score": "0.9",
        }
        data = f"{','.join(columns)}\n{','.join(filled.get(column, '') for column in columns)}\n".encode()
        assert not {"suggestions", "model_version"} & set(targets(data).values())
        assert words(data)["a.jpg"].suggested is None

    def test_in_a_table_of_verdicts_the_model_is_the_one_that_was_answered(self):
        header = ",".join([*csv_long.COLUMNS, "predictions"])
        cells = {
            "name": "a.jpg",
            "tag": "dog",
            "verdict": "yes",
            "model_version": "3",
            "predictions": quoted(OBJECT),
        }
        data = f"{header}\n{','.join(cells.get(column, '') for column in header.split(','))}\n".encode()
        assert targets(data)["model_version"] == ""
        assert words(data)["a.jpg"] == Words(
            None, ("dog",), suggested=Suggested("another model", SAID.scores)
        )

    def test_a_person_says_which_column_suggests_and_the_model_beside_it_is_known(self):
        data = f"path,zero shot,model_version,notes\na.jpg,{quoted(OBJECT)},clip-7,x\n".encode()
        assert words(data, said={"zero shot": "suggestions"})["a.jpg"] == Words(suggested=SAID)
        said = {"zero shot": "suggestions", "model_version": "metadata", "notes": "model_version"}
        assert words(data, said=said)["a.jpg"].suggested.model == "x"
        unnamed = words(data, said={"zero shot": "suggestions", "model_version": ""})
        assert unnamed["a.jpg"].suggested.model == "another model"

    def test_a_person_takes_a_guess_back(self):
        data = f"path,suggestions,model\na.jpg,{quoted(LIST)},clip-7\n".encode()
        assert words(data, said={"suggestions": ""}) == {"a.jpg": Words()}
        kept = words(data, said={"suggestions": "metadata", "model": "metadata"})["a.jpg"]
        assert kept == Words(metadata={"suggestions": json.dumps(LIST), "model": "clip-7"})


def test_the_preview_shows_suggestions_in_the_form_in_which_the_api_takes_them():
    data = f"path,suggestions,model\na.jpg,{quoted(OBJECT)},clip-7\nb.jpg,,\nc.jpg,dog,\n".encode()
    table = opened(data)
    shown = preview.preview(table, mapping.read(table)).as_json()
    assert shown["mapping"] == {"path": "path", "suggestions": "suggestions", "model": "model_version"}
    assert [(item["suggestions"], item["model_version"]) for item in shown["items"]] == [
        (LIST, "clip-7"), ([], None), ([], None),
    ]  # fmt: skip
    assert [(error["item"], error["code"]) for error in shown["errors"]] == [
        ("t.csv, row 4, column “suggestions”", "bad_suggestions")
    ]


def test_a_file_sent_with_the_table_has_what_its_row_suggests():
    table = opened(row_of_json(suggestions=LIST, model="clip-7"), "t.jsonl")
    sent = [StagedFile("a.jpg", "key/0"), StagedFile("b.jpg", "key/1")]
    landing = pictures.offered([OpenedTable(table, mapping.read(table))], sent)
    assert [one.words.suggested for one in landing] == [SAID, None]
