"""The slow twins of the fast paths: simple implementations, token by token."""

import html.entities
import itertools
import math
import re
from xml.etree import ElementTree

import numpy as np
import torch

from longdoc.labels import Span


def merge_weight(window, token, n_tokens, rule, windows):
    """Weight of one window for one token it sees, before normalisation."""
    centralities = [centrality(other, token, n_tokens) for other in windows if other.start <= token < other.end]
    seeing = [other for other in windows if other.start <= token < other.end]
    if rule == "mean":
        return 1.0
    if rule == "centre":
        return centrality(window, token, n_tokens)
    if rule == "first":
        return float(window == seeing[0])
    return float(window == seeing[centralities.index(max(centralities))])


def centrality(window, token, n_tokens):
    """Distance to the nearer border; the ends of the document are not borders."""
    borders = []
    if window.start > 0:
        borders.append(token - window.start + 1)
    if window.end < n_tokens:
        borders.append(window.end - token)
    return min([*borders, window.end - window.start])


def stitch(scores, windows, n_tokens, rule):
    """Stitched scores as nested lists."""
    merged = []
    for token in range(n_tokens):
        seeing = [(w, s) for w, s in zip(windows, scores, strict=True) if w.start <= token < w.end]
        weights = [merge_weight(w, token, n_tokens, rule, windows) for w, _ in seeing]
        rows = [
            [weight / sum(weights) * float(x) for x in s[token - w.start]]
            for weight, (w, s) in zip(weights, seeing, strict=True)
        ]
        merged.append([sum(column) for column in zip(*rows, strict=True)])
    return merged


def encode_bio(spans, offsets, labels):
    """Tags as strings, longest span first."""
    tags = ["O"] * len(offsets)
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        touched = [i for i, (start, end) in enumerate(offsets) if start < span.end and end > span.start]
        if span.label in labels and touched and all(tags[i] == "O" for i in touched):
            for i in touched:
                tags[i] = f"I-{span.label}"
            tags[touched[0]] = f"B-{span.label}"
    return tags


def encode_tags(spans, offsets, labels, scheme):
    """Tags as strings in any scheme, longest span first, one token at a time."""
    owners = [None] * len(offsets)
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        touched = [i for i, (start, end) in enumerate(offsets) if start < span.end and end > span.start]
        if span.label in labels and all(owners[i] is None for i in touched):
            for i in touched:
                owners[i] = span
    tags = []
    for i, owner in enumerate(owners):
        left = owners[i - 1] if i else None
        right = owners[i + 1] if i + 1 < len(owners) else None
        is_first, is_last = left is not owner, right is not owner
        if owner is None:
            tags.append("O")
        elif scheme == "bio":
            tags.append(("B-" if is_first else "I-") + owner.label)
        elif scheme == "bioes":
            letter = {(True, True): "S", (True, False): "B", (False, True): "E", (False, False): "I"}
            tags.append(f"{letter[is_first, is_last]}-{owner.label}")
        elif scheme == "iob1":
            divides = is_first and left is not None and left.label == owner.label
            tags.append(("B-" if divides else "I-") + owner.label)
        else:
            tags.append(f"I-{owner.label}")
    return tags


def decode_tags(tags):
    """Token ranges ``(first, last, label)`` of a valid sequence of tags in any scheme."""
    spans = []
    for i, tag in enumerate(tags):
        letter, _, label = tag.partition("-")
        before = tags[i - 1] if i else "O"
        if tag == "O":
            continue
        if letter in "IE" and before[2:] == label and before[0] in "BI":
            spans[-1] = (spans[-1][0], i + 1, label)
        else:
            spans.append((i, i + 1, label))
    return spans


def partial_loss(log_probabilities, tags, names, unmarked):
    """Mean negative log-likelihood, one token at a time; ``O`` also stands for the unmarked labels."""
    losses = []
    for row, tag in zip(log_probabilities, tags, strict=True):
        if tag == -100:
            continue
        allowed = [tag] if tag else [i for i, name in enumerate(names) if name == "O" or name[2:] in unmarked]
        losses.append(-math.log(sum(math.exp(row[i]) for i in allowed)))
    return sum(losses) / len(losses)


def document_probabilities(model, head, ids, windows, rule):
    """Stitched probabilities of a document: one window at a time, no batches, no padding."""
    special = model.encoder.template.plain
    scores = []
    for window in windows:
        row = [*special.prefix, *ids[window.start : window.end].tolist(), *special.suffix]
        with torch.no_grad():
            states = model.encoder.backbone(input_ids=torch.tensor([row])).last_hidden_state
            probabilities = model.heads[head].linear(states)[0].softmax(-1)
        scores.append(probabilities[len(special.prefix) : len(row) - len(special.suffix)].tolist())
    return stitch(scores, windows, len(ids), rule)


def jats_words(data):
    """White-space separated pieces of a paper's XML in document order: those of its text, and those of the rest.

    The text is titles, abstracts, body and back matter without references, identifiers and alternatives.
    """
    known = {name: char for name, char in html.entities.html5.items() if name.endswith(";")}
    plain = re.sub(
        rb"&(?!amp;|lt;|gt;|quot;|apos;)([A-Za-z]\w*;)",
        lambda m: known.get(m[1].decode(), "&amp;" + m[1].decode()).encode("ascii", "xmlcharrefreplace"),
        re.sub(rb"<!DOCTYPE[^>]*>", b"", data),
    )
    text, other = [], []
    _jats_walk(ElementTree.fromstring(plain), "", text, other)
    return "".join(text).split(), "".join(other).split()


_ABOUT = {"journal-meta", "object-id", "issue-id", "long-desc", "alt-text", "ref", "alt-title", "annotation"}
_IN_TEXT = {"title-group", "abstract", "trans-abstract"}
_WITHIN_A_WORD = {"italic", "bold", "sup", "sub", "sc", "underline", "monospace", "named-content", "xref"}
_WITHIN_A_WORD |= {"ext-link", "inline-formula", "email", "uri", "styled-content", "inline-graphic"}


def _jats_walk(element, around, text, other):
    tag = element.tag.rpartition("}")[2].lower()
    into = text
    if tag in _ABOUT or (around == "article-meta" and tag not in _IN_TEXT) or text is other:
        into = other
    if tag in ("title", "label") and around == "ref-list":
        into = other
    is_math = element.tag.startswith("{http://www.w3.org/1998/Math/MathML}")
    if tag in {"mspace", "mtr", "mtd"} or (tag not in _WITHIN_A_WORD and not is_math):
        into.append(" ")
    if not is_math or (element.text or "").strip():
        into.append(element.text or "")
    chosen = None
    if tag == "alternatives":
        full = [child for child in element if "".join(child.itertext()).strip()]
        chosen = next((child for child in full if child.tag.endswith("math}math") or child.tag == "table"), None)
        chosen = next((child for child in full if child.tag.endswith("}math")), chosen)
        chosen = chosen if chosen is not None else (full[0] if full else None)
    for child in element:
        second = chosen is not None and child is not chosen
        _jats_walk(child, tag, other if second else into, other)
        if not is_math or (child.tail or "").strip():
            into.append(child.tail or "")
    if tag not in _WITHIN_A_WORD and not is_math:
        into.append(" ")


def html_text(data):
    """All characters of an HTML file except white space, in order, without scripts and styles."""
    from lxml import etree

    def walk(element):
        if not isinstance(element.tag, str):
            return ""
        inside = (element.text or "") + "".join(walk(child) + (child.tail or "") for child in element)
        return "" if element.tag in ("script", "style", "template", "title", "noscript") else inside

    parsed = walk(etree.fromstring(data, etree.HTMLParser(encoding="utf-8")))
    return "".join(char for char in parsed if not char.isspace() and char not in "\xad\u200b\u2060\ufeff")


def docx_words(data):
    """The text of a Word file's body in document order without deleted and hidden runs, without white space.

    For files without notes, text boxes, symbols and hidden styles; list numbers are not in it.
    """
    import io
    import zipfile

    def walk(element):
        tag = element.tag.rpartition("}")[2]
        if tag in ("del", "moveFrom", "pPr", "sectPr") or tag == "Fallback":
            return ""
        if tag == "r" and any(inner.tag.endswith("}vanish") for inner in element.iter()):
            return ""
        return (element.text or "" if tag == "t" else "") + "".join(walk(inner) for inner in element)

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    return "".join(walk(root).split())


def counts(pattern, seen, chosen, documents, layer=0):
    """How often each token of one row counts each other token, from the definition in ``longdoc.attention.pattern``.

    ``seen``, ``chosen`` (the global mask) and ``documents`` are lists with an entry for each token.
    """
    n_tokens = len(seen)
    is_global = [is_global_token(pattern, i, seen, chosen, documents) for i in range(n_tokens)]
    until = max((i + 1 for i in range(n_tokens) if seen[i]), default=0)
    drawn = pattern.random_table(until, layer)
    drawn = None if drawn is None else [*drawn.tolist(), *[[] for _ in range(n_tokens)]]
    return [
        [times_seen(pattern, i, j, seen, is_global, documents, drawn, layer) for j in range(n_tokens)]
        for i in range(n_tokens)
    ]


def times_seen(pattern, i, j, seen, is_global, documents, drawn, layer):
    """How often token ``i`` counts token ``j``; 0 where it does not see it."""
    block = pattern.block
    window = pattern.window[layer] if isinstance(pattern.window, tuple) else pattern.window
    if not seen[i] or not seen[j] or documents[i] != documents[j]:
        return 0
    if pattern.as_transformers and len(seen) <= (5 + 2 * pattern.random_blocks) * block:
        return 1
    near = abs(i - j) <= window
    if pattern.block_aligned:
        near = abs(i // block - j // block) <= window // block
    if drawn is not None and j // block in drawn[i // block]:
        near = True
    if not near and not is_global[i] and not is_global[j]:
        return 0
    return 1 + pattern.random_blocks if pattern.as_transformers and j < block and not is_global[i] else 1


def is_global_token(pattern, i, seen, chosen, documents):
    """Whether a token sees everything and everything sees it."""
    if not seen[i]:
        return False
    own = [j for j in range(len(seen)) if documents[j] == documents[i]]
    ends = [j for j in own if seen[j] or pattern.as_transformers]
    position, last = i - ends[0], ends[-1] - ends[0]
    blocks = [last // pattern.block if block == -1 else block for block in pattern.global_blocks]
    return bool(chosen[i]) or position in pattern.global_tokens or position // pattern.block in blocks


def attention(query, key, value, counted, scale):
    """One head's attention with lists of lists: values weighted by count and softmax probability."""
    out = []
    for i, row in enumerate(query):
        scores = [scale * sum(x * y for x, y in zip(row, other, strict=True)) for other in key]
        weights = [times * math.exp(score) for times, score in zip(counted[i], scores, strict=True)]
        total = sum(weights) or 1.0  # a token that sees no key yields zero
        columns = zip(*value, strict=True)
        out.append([sum(w * x for w, x in zip(weights, column, strict=True)) / total for column in columns])
    return out


def best_tags(probabilities, names):
    """The likeliest valid tag sequence, by trying all sequences."""

    def fits(path):
        letters = ["O", *(names[tag][0] for tag in path), "O"]
        owners = ["", *(names[tag][2:] for tag in path), ""]
        ends_marked = any(name.startswith("E-") for name in names)
        begins_marked = any(name.startswith("B-") for name in names)
        for i in range(1, len(letters)):
            goes_on = letters[i] in "IE" and begins_marked
            if goes_on and (owners[i - 1] != owners[i] or letters[i - 1] not in "BI"):
                return False
            if ends_marked and letters[i - 1] in "BI" and not (letters[i] in "IE" and owners[i - 1] == owners[i]):
                return False
        return True

    paths = filter(fits, itertools.product(range(len(names)), repeat=len(probabilities)))
    return max(math.fsum(math.log(max(row[t], 1e-30)) for row, t in zip(probabilities, p, strict=True)) for p in paths)


def squad_answer(features, n_best, max_tokens):
    """The best answer of several windows by the code published with SQuAD's baselines, token indices as result.

    ``features``: for each window (start logits, end logits, token indices or None outside the text, max context).
    """
    candidates, null = [], math.inf
    for starts, ends, numbers, max_context in features:
        null = min(null, starts[0] + ends[0])
        for i in sorted(range(len(starts)), key=lambda i: -starts[i])[:n_best]:
            for j in sorted(range(len(ends)), key=lambda j: -ends[j])[:n_best]:
                if numbers[i] is None or numbers[j] is None or not max_context[i]:
                    continue
                if j < i or j - i + 1 > max_tokens:
                    continue
                candidates.append((starts[i] + ends[j], numbers[i], numbers[j]))
    best = max(candidates, key=lambda c: c[0], default=None)
    return best and (best[0] - null, *best[1:]), null


def max_context(window_spans, token):
    """Number of the window in which a token has most context; the first one on a tie."""
    best, owner = None, None
    for number, (start, end, n_tokens) in enumerate(window_spans):
        if start <= token < end:
            left = token - start if start else math.inf
            right = end - 1 - token if end < n_tokens else math.inf
            score = min(left, right, end - start - 1)
            if best is None or score > best:
                best, owner = score, number
    return owner


def masked_units(units, share, order):
    """Tokens to mask: unit after unit in the order drawn, until one more would exceed the share; at least the first.

    ``units`` are unit numbers, -1 for tokens that are never masked; ``order`` is a permutation of the distinct ones.
    """
    names = sorted({unit for unit in units if unit >= 0})
    wanted = max(1, round(share * sum(unit >= 0 for unit in units)))
    masked = set()
    for number in order:
        tokens = {place for place, unit in enumerate(units) if unit == names[number]}
        if masked and len(masked) + len(tokens) > wanted:
            break
        masked |= tokens
    return [place in masked for place in range(len(units))]


def spans(inside, starts, sentences, floor, gap, split, sentence_split):
    """Label and first word of each piece of the runs of words above a floor, and the scores of all its ranges."""
    found = []
    for label in range(len(inside[0]) if len(inside) else 0):
        p, s = [row[label] for row in inside], [row[label] for row in starts]
        runs, last = [], None
        for word in range(len(p)):
            if p[word] < floor:
                continue
            if last is not None and word - last - 1 <= gap:
                runs[-1] = (runs[-1][0], word)
            else:
                runs.append((word, word))
            last = word
        for first, final in runs:
            pieces = divided(range(first, final + 1), s, sentences, split, sentence_split)
            for piece in pieces:
                peak = max(p[word] for word in piece)
                if peak >= floor:
                    scores = {
                        (first, end): peak * expected_overlap([p[word] / peak for word in piece], first, end)
                        for first in range(len(piece))
                        for end in range(first + 1, len(piece) + 1)
                    }
                    found.append((label, piece[0], scores))
    return found


def divided(run, starts, sentences, split, sentence_split):
    """A run of words in pieces, which begin at sentences that may start a span and at peaks away from these."""
    near = {word: [starts[n] for n in run if abs(n - word) < 2] for word in run}
    new = [word for word in run if sentences[word] and max(near[word]) >= sentence_split]
    pieces = [[]]
    for word in run:
        is_peak = starts[word] >= split and (word == run[0] or starts[word] > starts[word - 1])
        is_peak = is_peak and (word == run[-1] or starts[word] >= starts[word + 1])
        if word > run[0] and (word in new or (is_peak and not any(abs(word - other) <= 2 for other in new))):
            pieces.append([])
        pieces[-1].append(word)
    return pieces


def expected_overlap(shares, first, end):
    """The sum of the shares in a range, over its length and the shares outside."""
    within = sum(shares[first:end])
    return within / (end - first + sum(shares) - within)


def anchor(boxes, box):
    """The glyph after which a drawn glyph is read, and whether it begins a line: each glyph is looked at."""
    _, top, right, bottom = boxes.T
    middle = (box[1] + box[3]) / 2
    beside = (top <= middle) & (middle <= bottom) & (right <= box[0] + 1)
    if beside.any():
        return int(np.where(beside, right, -np.inf).argmax()), False
    above = np.flatnonzero(bottom <= middle)
    if not len(above):
        return -1, True
    line_above = above[bottom[above] > bottom[above].max() - (box[3] - box[1]) / 2]
    return int(line_above[-1]), True


def free_columns(rows):
    """The column of each cell of a table, row by row: the first that no cell from above spans."""
    taken, columns = set(), []
    for number, row in enumerate(rows):
        at, spanning = 0, []
        columns.append([])
        for row_span, column_span in row:
            while (number, at) in taken:
                at += 1
            columns[-1].append(at)
            spanning += itertools.product(range(number + 1, number + row_span), range(at, at + column_span))
            at += column_span
        taken |= set(spanning)
    return columns


def section_at(sections, offset):
    """The innermost section around an offset: each section is looked at."""
    around = [section for section in sections if section.start <= offset < section.end]
    return max(around, key=lambda section: section.level, default=None)


def without_overlap(spans, rank):
    """The spans that overlap none of a higher rank that is kept: each is compared with all of those."""
    kept = []
    for span in sorted(spans, key=rank):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: (span.start, span.end))


def deduplicate(answers, words_of, top_k):
    """The best answers, no two of which overlap or have the same words: each is compared with all before it."""
    kept, said = [], set()
    for answer in answers:
        free = all(answer.last < other.first or answer.first > other.last for other in kept)
        if len(kept) < top_k and free and words_of(answer) not in said:
            kept.append(answer)
            said.add(words_of(answer))
    return kept


def sentence_vector(states, modules, n_skipped=0):
    """The vector of a text from its states ``(T, D)``, by the arithmetic that sentence-transformers documents.

    ``modules`` are pairs of a kind and its settings, the pooling first; ``n_skipped`` states of a prompt do not count.
    """
    (_, pooling), *rest = modules
    rows = [(place, row) for place, row in enumerate(states, 1) if place > n_skipped]
    columns = list(zip(*(row for _, row in rows), strict=True))
    if pooling in ("cls", "lasttoken"):
        vector = rows[0 if pooling == "cls" else -1][1]
    elif pooling == "max":
        vector = [max(column) for column in columns]
    elif pooling == "weightedmean":
        total = sum(place for place, _ in rows)
        vector = [sum(p * x for (p, _), x in zip(rows, column, strict=True)) / total for column in columns]
    else:
        vector = [sum(column) / (len(rows) if pooling == "mean" else math.sqrt(len(rows))) for column in columns]
    for kind, settings in rest:
        if kind == "Normalize":
            vector = [x / math.sqrt(sum(y * y for y in vector)) for x in vector]
        elif kind == "LayerNorm":
            mean = sum(vector) / len(vector)
            spread = math.sqrt(sum((x - mean) ** 2 for x in vector) / len(vector) + 1e-5)
            weights = zip(vector, settings["weight"], settings["bias"], strict=True)
            vector = [(x - mean) / spread * weight + bias for x, weight, bias in weights]
        elif kind == "Dense":
            sums = [sum(w * x for w, x in zip(row, vector, strict=True)) for row in settings["weight"]]
            bias = settings.get("bias") or [0.0] * len(sums)
            found = [settings["activation"](one + other) for one, other in zip(sums, bias, strict=True)]
            vector = [x + y for x, y in zip(found, vector, strict=True)] if settings.get("residual") else found
    return vector


def int8_linear(given, weight, bias, middle, step):
    """A linear layer of bytes ``given`` (N, D), which stand for ``middle + step * (byte - 128)``, in numpy's float64.

    Weights are rounded to whole numbers of -127 to 127, after the steps of the columns are multiplied into them.
    """
    rows = []
    for row, offset in zip(weight, bias, strict=True):
        scaled = row.astype(np.float64) * step
        unit = np.abs(scaled).max() / 127
        numbers = np.round(scaled / unit).astype(np.int64)
        sums = [int(((one.astype(np.int64) - 128) * numbers).sum()) for one in given]
        rows.append([unit * each + float(row.astype(np.float64) @ middle) + float(offset) for each in sums])
    return np.array(rows).T


def changes_of_loss(loss, linear, count):
    """By how much the loss changes if one of ``count`` equal parts of what a linear layer reads is 0, for each part."""
    whole, changes = loss(), []
    for number in range(count):

        def remove(_, arguments, number=number):
            states = arguments[0].clone()
            states.unflatten(-1, (count, -1))[..., number, :] = 0
            return (states,)

        hook = linear.register_forward_pre_hook(remove)
        changes.append(abs(loss() - whole))
        hook.remove()
    return changes


def fitted_linear(states, weight, bias, kept, ridge):
    """Weights of ``kept`` columns, and a bias, that give the results of all columns of a linear layer best.

    Errors are relative to the result of a row. Change is penalised: by ``ridge`` times the mean square of what a weight
    multiplies.
    """
    lengths = np.linalg.norm(states @ weight.T + bias, axis=1, keepdims=True)
    own = np.column_stack([states[:, kept], np.ones(len(states))]) / lengths
    states = states / lengths
    others = np.delete(np.arange(states.shape[1]), kept)
    penalty = np.diag(np.sqrt(ridge * (own**2).sum(axis=0)))
    wanted = np.vstack([states[:, others] @ weight[:, others].T, np.zeros((own.shape[1], len(weight)))])
    change = np.linalg.lstsq(np.vstack([own, penalty]), wanted, rcond=None)[0].T
    return weight[:, kept] + change[:, :-1], bias + change[:, -1]


def differences(hits, weights, seed):
    """Differences of groups to the first one, resample by resample, text by text."""
    from longdoc.auditing.statistics import RESAMPLES

    n_texts = len(weights)
    rng = np.random.default_rng(seed)
    drawn = [rng.multinomial(n_texts, [1 / n_texts] * n_texts) for _ in range(RESAMPLES)]

    def ratio(group, counts):
        found = sum(count * float(hits[group][text]) for text, count in enumerate(counts))
        return found / sum(count * float(weights[text]) for text, count in enumerate(counts))

    result = []
    for group in range(len(hits)):
        gap = ratio(group, [1] * n_texts) - ratio(0, [1] * n_texts)
        gaps = [ratio(group, counts) - ratio(0, counts) for counts in drawn]
        mean = sum(gaps) / len(gaps)
        error = math.sqrt(sum((each - mean) ** 2 for each in gaps) / (len(gaps) - 1))
        p = (1.0 if gap == 0 else 0.0) if error == 0 else math.erfc(abs(gap) / error / math.sqrt(2))
        low, high = np.percentile(gaps, [2.5, 97.5])
        result.append((ratio(group, [1] * n_texts), gap, low, high, p))
    return result


def holm(p_values):
    """Adjusted p-values by their definition: the largest of the products up to each, in ascending order."""
    ordered = sorted(p_values)
    steps = [min(1.0, (len(ordered) - rank) * p) for rank, p in enumerate(ordered)]
    return [max(steps[: ordered.index(p) + 1]) for p in p_values]


def shared_log_likelihoods(network, tokenizer, more, less):
    """Pseudo-log-likelihoods of the tokens that two sentences share, masked one by one, by a model of transformers."""
    import difflib

    rows = [tokenizer.encode(sentence).ids for sentence in (more, less)]
    matcher = difflib.SequenceMatcher(None, rows[0][1:-1], rows[1][1:-1], autojunk=False)
    totals = [0.0, 0.0]
    for tag, first, last, other, _ in matcher.get_opcodes():
        for offset in range(last - first if tag == "equal" else 0):
            for number, place in enumerate((first + offset, other + offset)):
                ids = list(rows[number])
                ids[place + 1] = tokenizer.token_to_id("[MASK]")
                with torch.no_grad():
                    logits = network(input_ids=torch.tensor([ids])).logits[0, place + 1]
                totals[number] += torch.log_softmax(logits, dim=-1)[rows[number][place + 1]].item()
    return tuple(totals)


def word_similarity(one, other):
    """Twice the longest common subsequence of two lists, divided by their lengths together."""
    longest = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            longest[i + 1][j + 1] = longest[i][j] + 1 if a == b else max(longest[i][j + 1], longest[i + 1][j])
    return 2 * longest[-1][-1] / ((len(one) + len(other)) or 1)


def near_duplicates(texts, at_least):
    """The pairs of lists of words that are alike, by comparing all pairs."""
    pairs = itertools.combinations(range(len(texts)), 2)
    return {(i, j) for i, j in pairs if word_similarity(texts[i], texts[j]) >= at_least}


def banded_pairs(values, n_bands, in_band):
    """The pairs of rows that agree in all values of a band."""
    rows = [tuple(row) for row in values.tolist()]
    bands = [slice(band * in_band, (band + 1) * in_band) for band in range(n_bands)]
    pairs = itertools.combinations(range(len(rows)), 2)
    return {(i, j) for i, j in pairs if any(rows[i][band] == rows[j][band] for band in bands)}


def merged_spans(spans):
    """Spans that share characters as one, with the label of the longest; of several, that of the first."""
    groups = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        own = set(range(span.start, span.end))
        touching = [group for group in groups if group[0] & own]
        groups = [group for group in groups if not group[0] & own]
        groups.append((own.union(*(g[0] for g in touching)), [s for g in touching for s in g[1]] + [span]))
    whole = [(min(chars), max(chars) + 1, max(own, key=lambda s: s.end - s.start).label) for chars, own in groups]
    return [Span(*each) for each in sorted(whole)]


def nearest(vectors, query, top_k):
    """Rows and products of the vectors nearest to a query, one by one, in double precision."""
    products = [sum(float(a) * float(b) for a, b in zip(vector, query, strict=True)) for vector in vectors]
    order = sorted(range(len(products)), key=lambda row: (-products[row], row))[:top_k]
    return order, [products[row] for row in order]


def bm25(query, passages):
    """BM25 of each passage, all as lists of stems, with the constants of Lucene and tantivy."""
    mean = sum(map(len, passages)) / len(passages)
    scores = []
    for passage in passages:
        score = 0.0
        for stem in set(query):
            has = sum(stem in other for other in passages)
            idf = math.log(1 + (len(passages) - has + 0.5) / (has + 0.5))
            times = passage.count(stem)
            score += idf * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(passage) / mean))
        scores.append(score)
    return scores


def reciprocal_ranks(lists):
    """Row → the sum over lists of 1 / (60 + rank), ranks from 1."""
    rows = {row for ranked in lists for row in ranked}
    return {row: sum(1 / (61 + ranked.index(row)) for ranked in lists if row in ranked) for row in rows}


def maxsim(query, passage):
    """The sum, over the vectors of a query, of the largest product with a vector of a passage."""
    return sum(max(float(np.dot(a, b)) for b in np.asarray(passage)) for a in np.asarray(query))


def least_rounding_error(row: np.ndarray, n_levels: int, n_steps: int = 32) -> float:
    """The least squared error of rounding a row to evenly spaced levels, half a step above and below 0 and so on."""
    largest, least = 2 * np.abs(row).max() / (n_levels - 1), np.inf
    for number in range(1, n_steps + 1):
        levels = (np.arange(n_levels) - (n_levels - 1) / 2) * largest * number / n_steps
        least = min(least, sum(min((value - level) ** 2 for level in levels) for value in row))
    return float(least)


def with_differences(model: torch.nn.Module, head: str) -> dict[str, torch.Tensor]:
    """The weights of a head's own encoder, with the differences computed number by number."""
    adapter, weights = model.adapters[head], dict(model.encoder.backbone.state_dict())
    for name in weights:
        key = name.replace(".", "/")
        if key in adapter.plain:
            weights[name] = weights[name] + adapter.plain[key]
        elif key in adapter.bits:
            bits, changed = adapter.bits[key].tolist(), weights[name].clone()
            for i, j in itertools.product(*map(range, changed.shape)):
                level = sum((plane[i][j // 8] >> j % 8 & 1) << number for number, plane in enumerate(bits))
                changed[i, j] += (level - (2 ** len(bits) - 1) / 2) * adapter.steps[key][i]
            weights[name] = changed
    return weights
