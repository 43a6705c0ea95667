"""A newer edition of the provider's page: no word that changed passes for the same, and what changed is told of the right statement."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.judge.catalogue import catalogue
from shared.judge.edition import compare, fingerprint, known_edition, sentences
from tests.fixtures.commandline import office
from tests.test_judge_samples import EXAMPLES, need


def seed():
    (path,) = need(EXAMPLES / "seed").glob("*.txt")
    return path


def edition():
    return seed().read_text("utf-8")


def states(page):
    return {each.statement.id: each for each in compare(page).statements if each.state != "same"}


def test_the_fingerprints_are_those_of_the_page_that_the_catalogue_names():
    """The test of the catalogue holds the digest of the same file."""
    assert [digest for digest, _ in known_edition()] == [fingerprint(sentence.words) for sentence in sentences(edition())]


def test_every_statement_is_carried_by_a_sentence_and_no_sentence_carries_another():
    carried = set().union(*(carries for _, carries in known_edition()))
    assert sorted(carried) == [statement.id for statement in catalogue().statements]


def test_the_same_page_is_the_same():
    found = compare(edition())
    assert found.same and not states(edition()) and found.dated == "02/23/2024"


SAID = {
    "S01": "available to other customers", "S02": "NOT available to OpenAI", "S03": "improve OpenAI models", "S05": "permission or instruction",
    "S07": "does NOT interact", "S12": "prompt-completion pairs", "S13": "TLS1.2", "S14": "configured thresholds", "S15": "customer-specified",
    "S16": "models are stateless", "S18": "duplicate data store", "S20": "AES-256", "S21": "Can be deleted by the customer", "S22": "all of the above conditions",
    "S24": "until processing capacity", "S25": "store message history", "S26": "stores input-output pairs", "S27": "occurs synchronously",
    "S28": "deployable or not", "S29": "Review is conducted by LLM", "S30": "separated by customer resource", "S31": "employees are located in",
    "S33": "attribute appears only if", "S35": "different privacy practices", "S36": "17 December 2024",
}  # fmt: skip
"""Words of the page that say it."""


@pytest.mark.parametrize("id_", SAID)
def test_a_changed_word_is_told_of_the_statement_that_it_belongs_to_with_the_new_words(id_):
    assert edition().count(SAID[id_]) == 1
    found = states(edition().replace(SAID[id_], f"{SAID[id_]} perhaps"))
    assert set(found) == {id_}
    assert found[id_].state == "changed"
    assert [" perhaps" in sentence.words for sentence in found[id_].new] == [True]
    assert len(found[id_].old) == 1
    assert SAID[id_] in sentences(edition())[found[id_].old[0]].words


def test_a_sentence_of_two_statements_is_told_of_both():
    assert set(states(edition().replace("has been approved for modified", "was approved for modified"))) == {"S32", "S34"}


def test_a_statement_whose_sentence_left_is_gone_though_its_list_is_still_there():
    page = re.sub(r"> - are NOT available to OpenAI\..*\n", "", edition())
    found = states(page)
    assert {id_: each.state for id_, each in found.items()} == {"S02": "gone"}
    assert not found["S02"].new and not compare(page).same


def test_what_stands_before_a_list_is_told_of_all_that_it_holds_of():
    assert set(states(edition().replace("your embeddings, and your", "and your"))) == {"S01", "S02", "S03", "S04", "S05"}


def test_a_new_sentence_is_new_and_in_its_section():
    page = edition().replace("**The models are stateless", "Some previews remember prompts. **The models are stateless")
    found = compare(page)
    assert not found.same and not states(page)
    assert [(each.section, each.words) for each in found.new] == [
        ("Generating completions, images or embeddings through inferencing", "Some previews remember prompts.")
    ]


def test_a_sentence_that_became_two_is_told_with_both():
    found = states(edition().replace("no prompts or generations are stored in the model.", "no prompts are stored in the model. But generations are."))
    assert [each.words for each in found["S16"].new] == ["The models are stateless: no prompts are stored in the model.", "But generations are."]
    assert set(found) == {"S16"}


def test_a_sentence_of_no_statement_that_left_makes_it_another_page_and_no_statement_another():
    page = edition().replace("Azure OpenAI is an Azure service; [learn more](/compliance/regulatory/offering-home) about applicable Azure compliance offerings.", "")
    assert page != edition()
    found = compare(page)
    assert (found.same, found.beside, found.new, states(page)) == (False, 1, (), {})


def test_other_markup_line_ends_quotes_and_links_are_no_other_words():
    page = edition().replace("â€™", "’").replace("/azure/ai-services/", "/azure/foundry/")
    page = page.replace("\n- **", "\n* **").replace("**", "").replace("\n", "\r\n").replace("The models are stateless", "The models\r\nare  stateless")
    assert "The models\r\nare  stateless" in page and "\n* Batch" in page and "’" in page
    assert compare("\ufeff" + page).same


def test_a_comment_is_no_word_and_what_is_uncommented_is():
    assert compare(edition().replace("## See also", "<!-- not yet -->\n## See also")).same
    assert not compare(edition().replace("<!--Learn", "Learn").replace("(link)-->", "")).same


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_word_is_taken_out_or_put_in_somewhere_is_told(data):
    """The oracle is the page itself: with one more word in it, it is not the same, and exactly the sentences that it had not before are shown."""
    lines = edition().partition("\n---\n")[2].split("\n")
    word = re.compile(r"(?<=[a-z] )[a-z]{3}")
    plain = [number for number, line in enumerate(lines) if word.search(line) and not re.search(r"\]\(|<!--|:::", line)]
    place = data.draw(st.sampled_from(plain))
    spot = data.draw(st.sampled_from([found.start() for found in word.finditer(lines[place])]))
    lines[place] = f"{lines[place][:spot]}never {lines[place][spot:]}"
    page = "\n".join(lines)
    found = compare(page)
    assert not found.same
    shown = {sentence for each in found.statements for sentence in each.new} | set(found.new)
    before = {sentence.words for sentence in sentences(edition())}
    assert {sentence.words for sentence in sentences(page)} - before == {sentence.words for sentence in shown}


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="[]()<!-*`|#>. \r\nAb’â€™", max_size=300))
def test_whatever_a_file_holds_it_is_read_and_is_no_edition(text):
    assert compare(text) is None


def test_a_long_file_of_open_brackets_and_comments_takes_no_time():
    for piece in ("[", "<!--", "[x](", "> ", "a. B"):
        assert compare(piece * 100_000) is None


def test_another_page_that_shares_a_heading_is_no_edition():
    assert compare("# Batch\n\n- **Batch processing**. Files are processed.\n- **Uploaded data**. Files.\n") is None


def test_the_command(tmp_path):
    changed = edition().replace("TLS1.2", "TLS1.3").replace("02/23/2024", "06/01/2026")
    (tmp_path / "newer.md").write_text(changed, "utf-8")
    (tmp_path / "other.md").write_text("# Another page\n\nOf something else.\n")
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe\x00")
    with office(tmp_path) as desk:
        same = desk("statements", "compare", str(seed()), "--json")
        assert (same.code, same.json["same"]) == (0, True)
        assert same.json["edition"]["sha256"] == same.json["seed"]["sha256"] == catalogue().seed.sha256
        told = desk("statements", "compare", str(tmp_path / "newer.md"), "--edition", str(seed()))
        assert told.code == 1 and catalogue().seed.sha256 in told.out and "06/01/2026" in told.out
        assert re.search(r"^S13  changed .*\n     old  .*TLS1\.2 .*\n     new  .*TLS1\.3 ", told.out, re.MULTILINE)
        assert "35 statements are the same, 1 changed, 0 gone" in told.out
        without = desk("statements", "compare", str(tmp_path / "newer.md"), "--json").json["statements"][12]
        assert (without["id"], without["state"], without["old"]) == ("S13", "changed", None) and "TLS1.3" in without["new"][0]
        for wrong in (["other.md"], ["binary.md"], ["absent.md"], [str(seed()), "--edition", "newer.md"]):
            outcome = desk("statements", "compare", *(str(tmp_path / word) if word.endswith(".md") else word for word in wrong))
            assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1), wrong
