"""The slow, obvious twins of the fast paths. Each does one thing, token by token, with no regard for speed."""

import math

import torch


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
    """Distance to the nearer border that is no end of the document; a window of the whole document has no border."""
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
    special = model.encoder.special
    scores = []
    for window in windows:
        row = [*special.prefix, *ids[window.start : window.end].tolist(), *special.suffix]
        with torch.no_grad():
            states = model.encoder.backbone(input_ids=torch.tensor([row])).last_hidden_state
            probabilities = model.heads[head].linear(states)[0].softmax(-1)
        scores.append(probabilities[len(special.prefix) : len(row) - len(special.suffix)].tolist())
    return stitch(scores, windows, len(ids), rule)
