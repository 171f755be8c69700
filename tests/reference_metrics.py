"""The arithmetic of the published evaluation scripts of SQuAD 2.0 and CUAD, in plain Python."""

import collections
import re
import string

import numpy as np


def squad_normalize(s):
    def remove_articles(text):
        return re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", text)

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    return " ".join(remove_articles(remove_punc(s.lower())).split())


def squad_exact(a_gold, a_pred):
    return int(squad_normalize(a_gold) == squad_normalize(a_pred))


def squad_f1(a_gold, a_pred):
    gold_toks = squad_normalize(a_gold).split() if a_gold else []
    pred_toks = squad_normalize(a_pred).split() if a_pred else []
    common = collections.Counter(gold_toks) & collections.Counter(pred_toks)
    num_same = sum(common.values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(pred_toks)
    recall = 1.0 * num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


def squad_scores(golds, a_pred):
    gold_answers = [a for a in golds if squad_normalize(a)]
    if not gold_answers:
        gold_answers = [""]
    return max(squad_exact(a, a_pred) for a in gold_answers), max(squad_f1(a, a_pred) for a in gold_answers)


def find_best_thresh(preds, scores, na_probs, qid_to_has_ans):
    num_no_ans = sum(1 for k in qid_to_has_ans if not qid_to_has_ans[k])
    cur_score = num_no_ans
    best_score = cur_score
    best_thresh = 0.0
    qid_list = sorted(na_probs, key=lambda k: na_probs[k])
    for qid in qid_list:
        if qid not in scores:
            continue
        diff = scores[qid] if qid_to_has_ans[qid] else (-1 if preds[qid] else 0)
        cur_score += diff
        if cur_score > best_score:
            best_score = cur_score
            best_thresh = na_probs[qid]
    return best_score / len(scores), best_thresh


def get_jaccard(prediction, ground_truth):
    for token in [".", ",", ";", ":"]:
        ground_truth = ground_truth.replace(token, "")
        prediction = prediction.replace(token, "")
    ground_truth, prediction = ground_truth.lower(), prediction.lower()
    ground_truth, prediction = ground_truth.replace("/", " "), prediction.replace("/", " ")
    ground_truth, prediction = set(ground_truth.split()), set(prediction.split())
    return len(ground_truth & prediction) / len(ground_truth | prediction)


def cuad_precision_recall(questions, threshold, substr_ok):
    """``questions``: pairs of gold answers and (prediction, confidence)."""
    tp, fp, fn = 0, 0, 0
    for golds, all_preds in questions:
        preds = [text for text, confidence in all_preds if confidence > threshold]

        def is_match(gold, pred):
            return get_jaccard(gold, pred) >= 0.5 or (substr_ok and gold in pred)

        if len(golds) == 0:
            fp += len(preds)
            continue
        for gold in golds:
            if any(is_match(gold, pred) for pred in preds):
                tp += 1
            else:
                fn += 1
        for pred in preds:
            if not any(is_match(gold, pred) for gold in golds):
                fp += 1
    return (tp / (tp + fp) if tp + fp else 0.0), (tp / (tp + fn) if tp + fn else 0.0)


def cuad_curve(questions, substr_ok):
    """Recalls and processed precisions, the highest threshold first."""
    confidences = [*np.arange(0.99, 0, -0.01), 0.001, 0]
    precisions, recalls = [1.0], [0.0]
    for threshold in confidences:
        precision, recall = cuad_precision_recall(questions, threshold, substr_ok)
        precisions.append(precision)
        recalls.append(recall)
    best = precisions[::-1]
    for i in range(1, len(best)):
        best[i] = max(best[i - 1], best[i])
    return recalls, best[::-1]


def cuad_aupr(recalls, precisions):
    return sum((recalls[i] - recalls[i - 1]) * (precisions[i] + precisions[i - 1]) / 2 for i in range(1, len(recalls)))


def cuad_precision_at(recalls, precisions, minimum):
    for recall, precision in zip(recalls[:-1], precisions[:-1], strict=True):
        if recall >= minimum:
            return precision
    return 0.0
