from __future__ import annotations

import io
import lzma
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from weakcode.codes.compiled import compile_tabular
from weakcode.codes.sources.tabular import read_tabular
from weakcode.codes.storage.store import open_bytes, pack
from weakcode.errors import EditionError

SMALL = """<?xml version="1.0"?><ICD10CM.tabular><version>2026</version><chapter><name>1</name>
<desc>Chapter text (A00-B99)</desc><section id="A00-A09"><desc>Section text (A00-A09)</desc>
<diag><name>A00</name><desc>Cholera</desc><excludes1><note>other (B20)</note><note>third</note></excludes1>
<sevenChrDef><extension char="A">first</extension><extension char="D">later</extension></sevenChrDef>
<diag><name>A00.1</name><desc>Mild</desc></diag>
<diag><name>A00.2</name><desc>Severe</desc>
<sevenChrDef><extension char="S">sequela</extension></sevenChrDef></diag>
</diag></section></chapter></ICD10CM.tabular>"""


def billable(content: bytes) -> set[str]:
    meta, sections = compile_tabular(read_tabular(content))
    stored = open_bytes(pack("key", meta, sections))
    assert stored is not None
    keys = stored.sections["codes"].cast("Q")
    return {int(key).to_bytes(8, "big").rstrip(b"\0").decode() for key in keys}


def test_seventh_characters_reach_the_leaves_and_the_nearest_definition_wins() -> None:
    assert billable(SMALL.encode()) == {"A001XXA", "A001XXD", "A002XXS"}


def test_a_note_element_stays_one_block_with_its_lines() -> None:
    chapter = read_tabular(io.BytesIO(SMALL.encode())).chapters[0]
    (block,) = chapter.children[0].children[0].blocks
    assert (block.kind, block.lines) == ("excludes1", ("other (B20)", "third"))
    assert (chapter.name, chapter.title) == ("Chapter 1", "Chapter text")


def test_of_a_code_the_first_name_title_and_definition_count_wherever_they_stand() -> None:
    code = """<diag><desc>Mild &amp;\n &lt;brief&gt; é</desc><name> a00.1 </name><name>A00.9</name><desc>no</desc>
    <inclusionTerm><note>one <i>or</i>  two</note><note/></inclusionTerm>
    <sevenChrDef><extension char="A, S">both</extension><note>or so</note><note/></sevenChrDef>
    <sevenChrDef><extension char="D">no</extension></sevenChrDef></diag>"""
    (category,) = (
        read_tabular(SMALL.replace("</diag>\n</diag>", f"</diag>{code}</diag>").replace("A00.1", "A00.3", 1).encode())
        .chapters[0]
        .children[0]
        .children
    )
    place = category.children[-1]
    assert (place.name, place.title, place.seventh) == ("A001", "Mild & <brief> é", {"A": "both", "S": "both"})
    assert [(block.kind, block.lines) for block in place.blocks] == [
        ("inclusion_term", ("one or two",)),
        ("seventh_character_note", ("or so", "")),
    ]


@pytest.mark.parametrize("year", [2021, 2025])
def test_billable_codes_of_older_editions_equal_the_order_file(
    year: int, shared: Path, order_file: Callable[[int], dict[str, tuple[bool, str]]]
) -> None:
    names = {2021: "2021_jan", 2025: "2025_april"}
    packed = (shared / "icd10cm" / f"icd10cm_tabular_{names[year]}.xml.xz").read_bytes()
    wanted = {code for code, (flag, _) in order_file(year).items() if flag}
    assert billable(lzma.decompress(packed)) == wanted


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not well-formed XML"),
        ("I10 Hypertension", "not well-formed XML"),
        (SMALL[:400], "not well-formed XML"),
        ("\x00\x01\x02", "not well-formed XML"),
        ("<html/>", "<html>, not <ICD10CM.tabular>"),
        ("<ICD10CM.tabular/>", "without any category"),
        (SMALL.replace('id="A00-A09"', 'id="A-B"'), 'section named "A-B"'),
        (SMALL.replace(' id="A00-A09"', "><name>A00</name").replace("</name>>", "</name>"), 'section named ""'),
        (SMALL.replace("</section>", '</section><section id="A00-A09"/>'), "A00-A09 twice"),
        (SMALL.replace("A00.2", "A00.1"), "A00.1 twice"),
        (SMALL.replace("A00.2", "B20.2"), "lists B20.2 below A00"),
        (SMALL.replace("A00.2", "../etc"), 'code "../ETC"'),
        (SMALL.replace("<name>1<", "<name>one<"), "chapter without a number"),
        (SMALL.replace("?>", '?><!DOCTYPE x [<!ENTITY a "aaaa">]>', 1), "document type or entities"),
        (SMALL.replace("?>", '?><!DOCTYPE x SYSTEM "file:///etc/passwd">', 1), "document type or entities"),
    ],
)
def test_what_is_not_a_tabular_list_is_refused_in_one_sentence(content: str, says: str) -> None:
    with pytest.raises(EditionError) as caught:
        read_tabular(content.encode(), "list.xml")
    message = str(caught.value)
    assert message.startswith("list.xml")
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "cp1252"])
def test_a_list_is_read_in_the_encoding_that_it_names(encoding: str) -> None:
    content = SMALL.replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{encoding}"?>')
    tabular = read_tabular(content.replace("Mild", "Ménière").encode(encoding))
    assert tabular.places["A001"].title == "Ménière"


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "utf-7"])
def test_an_encoding_that_nobody_knows_is_refused_in_one_sentence(encoding: str) -> None:
    content = SMALL.replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{encoding}"?>')
    with pytest.raises(EditionError, match="not well-formed XML"):
        read_tabular(content.encode("ascii"), "list.xml")


def test_what_is_not_well_formed_is_named_with_its_line_and_column() -> None:
    with pytest.raises(EditionError, match="mismatched tag: line 3, column 2"):
        read_tabular(b"<ICD10CM.tabular>\n<chapter>\n</section></chapter></ICD10CM.tabular>", "list.xml")


def test_a_text_that_expat_tells_in_parts_is_one() -> None:
    long = " ".join(f"word{number} &amp;" for number in range(200_000))
    tabular = read_tabular(SMALL.replace("Mild", long).encode())
    assert tabular.places["A001"].title == long.replace("&amp;", "&")


def test_endless_nesting_is_refused() -> None:
    many = 5000
    inner = "<diag><name>A00</name><desc>x</desc>" * many + "</diag>" * many
    start, end = SMALL.index("<diag>"), SMALL.index("</section>")
    with pytest.raises(EditionError):
        read_tabular((SMALL[:start] + inner + SMALL[end:]).encode())


def test_a_section_that_only_holds_sections_is_above_them() -> None:
    section = '<section id="{0}"><desc>x ({0})</desc>{1}</section>'
    leaf = "<diag><name>{0}</name><desc>x</desc></diag>"
    parts = [
        section.format("T20-T32", ""),
        section.format("T20-T25", leaf.format("T20")),
        section.format("T30-T32", leaf.format("T30")),
        section.format("T33-T34", leaf.format("T33")),
    ]
    start, end = SMALL.index("<section"), SMALL.index("</chapter>")
    chapter = read_tabular((SMALL[:start] + "".join(parts) + SMALL[end:]).encode()).chapters[0]
    assert [node.name for node in chapter.children] == ["T20-T32", "T33-T34"]
    assert [node.name for node in chapter.children[0].children] == ["T20-T25", "T30-T32"]


def test_the_older_lists_have_the_nodes_that_their_elements_say(shared: Path) -> None:
    content = lzma.decompress((shared / "icd10cm" / "icd10cm_tabular_2025_april.xml.xz").read_bytes())
    tabular = read_tabular(content)
    kinds = Counter(node.kind for chapter in tabular.chapters for node in chapter.walk())
    assert tabular.version == "2025"
    assert kinds["chapter"] == 22
    assert kinds["section"] == content.count(b"<section id=")
    assert kinds["category"] + kinds["subcategory"] == content.count(b"<diag>") + content.count(b"<diag ")
