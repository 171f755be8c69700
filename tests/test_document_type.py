"""Contracts, papers and notes are told apart; what is none of them, or not surely one, is "other"."""

import json
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from longdoc import Document
from longdoc.document_type import document_type
from longdoc.loaders import load
from longdoc.records import contract_record, record_for
from longdoc.sections import add_structure

DATA = Path(__file__).parent / "data"


def kind_of(text: str) -> str:
    return document_type(add_structure(Document.from_text(text))).kind


CONTRACTS = {
    "supply": """SUPPLY AGREEMENT
This Supply Agreement is made as of May 1, 2020 by and between Acme, Inc. ("Supplier") and Beta LLC ("Buyer").
NOW, THEREFORE, the parties agree as follows.
1. Governing Law. This Agreement shall be governed by the laws of Ohio.
IN WITNESS WHEREOF, the parties have executed this Agreement.""",
    "lease": """LEASE
THIS LEASE is entered into between Ada Ltd. (the "Landlord") and Bob Roe (the "Tenant").
WHEREAS, the Landlord owns the premises; the Tenant shall pay rent, and shall keep the premises.
By: ______________ Name: Title:""",
    "nda": """NON-DISCLOSURE AGREEMENT
This Agreement is dated 3 March 2021 between X GmbH ("Discloser") and Y AG ("Recipient").
The Recipient shall keep all Confidential Information secret. Entire Agreement. Severability. Counterparts. Waiver.""",
    "amendment": """FIRST AMENDMENT TO CREDIT AGREEMENT
This First Amendment, made effective as of June 30, 2019, is by and among Delta Corp., as borrower, and the lenders.
In consideration of the mutual covenants herein, the parties hereto agree to amend the Agreement.
By: /s/ Jane Roe""",
    "employment": """Employment Agreement
This Employment Agreement ("Agreement") is entered into by and between Foo plc ("Company") and Jo Doe ("Executive").
The parties hereby agree as follows. The Executive shall serve. IN WITNESS WHEREOF the parties sign.""",
    "deed": """DEED OF ASSIGNMENT
THIS DEED is made on 4 April 2018 BETWEEN Alpha Limited (the "Assignor") and Omega Limited (the "Assignee").
WHEREAS the Assignor hereby assigns. Executed as a deed. By: ________""",
    "guaranty": """GUARANTY
This Guaranty is made by Parent, Inc. ("Guarantor") in favor of Bank, N.A., and entered into as of May 5, 2005.
For good and valuable consideration, the Guarantor agrees as follows. The Guarantor shall pay.
By: /s/ P. Q.""",
    "license": """SOFTWARE LICENSE AGREEMENT
This License Agreement (the "Agreement") is made by and between Soft Co. ("Licensor") and User Co. ("Licensee").
WHEREAS, Licensor owns software. Signature page follows.""",
    "consulting": """EX-10.1 2 d123.htm
CONSULTING AGREEMENT
THIS CONSULTING AGREEMENT is made and entered into this 1st day of July, 2010, between Biz Inc. and R. Roe.
W I T N E S S E T H: the Consultant shall consult. IN WITNESS WHEREOF, the parties have signed.""",
    "joint venture": """JOINT VENTURE AGREEMENT
This Joint Venture Agreement is made between Sun Co., Ltd. ("Party A") and Moon Co., Ltd. ("Party B").
The parties agree as follows: governed by the laws of China; force majeure; notices; entire agreement; assigns.""",
}
PAPERS = {
    "biology": """Sleep in Mice
Ada Byron, Emil Post
Department of Zoology, Springfield University
Abstract
We show that mice sleep (Smith et al., 2004). Our results are robust.
Introduction
Previous studies found little [1].
Methods
We used ten mice (Figure 1).
Results
p < 0.01 (Table 1).
References
[1] A. Smith. Sleep. Nature 2004.""",
    "computing": """A Fast Parser
arXiv:2101.00001
Jo Doe, University of Nowhere
Abstract
We propose a parser. In this paper we evaluate it; our model is fast.
1 Introduction
Parsing is slow [2, 3].
5 Conclusion
We present more in Figure 2, Figure 3, Table 2 and Table 4.
References
[2] B. Author. Parsing. 2019.""",
    "numbered": """TITLE OF THE STUDY
Institute of Things
ABSTRACT
This study measured things. Our findings differ from those of Lee et al.
1. INTRODUCTION
2. MATERIALS AND METHODS
3. RESULTS
4. DISCUSSION
REFERENCES
[1] Lee, C. Things. 2001.""",
    "case report": """A rare case of gout
Department of Medicine, City Hospital
Abstract
We report a 50-year-old man who presented with pain and denied fever.
Introduction
Gout is common (Hill, 2001), (Hall et al., 2003).
Case
The patient was given colchicine 0.5 mg twice daily (Fig. 1).
Discussion
Previous studies (Fig. 2) agree with our findings.
References
[1] Hill A. Gout. 2001.""",
    "review": """Enzymes: a review
School of Chemistry, Example University
Summary
We describe enzymes; previous work et al.
Introduction
Results
Discussion
Conclusions
References
[1] Roe R. Enzymes. Science 1999.""",
    "physics": """On Leases in Physics
Laboratory of Physics
Abstract. We present measurements; in this paper we show that our data fit (Table 1).
I. INTRODUCTION
II. RESULTS
III. CONCLUSIONS
ACKNOWLEDGMENTS
REFERENCES
[1] X. Yz, Phys. Rev. 2011.""",
    "law": """The Term of Contracts: An Empirical Study
Faculty of Law, Example University
Abstract
This study examines agreements. In this paper we found that a contract between firms shall, we show, last.
Introduction
Methods
Results
Discussion
References
[1] Q. R. Contracts. 2003.""",
    "short letter": """Letter: doi:10.1234/abc
Received: 3 May 2001
Department of Botany, University of Ghent
Abstract
We report leaves. Our results and our data show leaves (Figure 1).
References
[1] A. B. Leaves. 1998.""",
    "spaced": """Wide Letters
University of Spaces
A B S T R A C T
In this work we introduce spacing; our method, we show, works.
Introduction
Related Work
Experiments
Conclusion
References""",
    "trial": """A randomized trial of aspirin
Faculty of Medicine
Abstract
Background: we compared aspirin with placebo. Patients were randomized. p=0.03.
Introduction
Methods
Results
Discussion
References
[1] C. D. Aspirin. 2000.""",
}
NOTES = {
    "soap": """CHIEF COMPLAINT
Cough.
HISTORY OF PRESENT ILLNESS
Ms. Roe is a 40-year-old female who presents today with a cough. She denies fever.
MEDICATIONS
Lisinopril 10 mg daily
ASSESSMENT AND PLAN
1. Bronchitis""",
    "labels": """CC: knee pain.
HPI: The patient is a 33 y/o male who presents with knee pain.
PMH: none.
MEDICATIONS: ibuprofen 400 mg as needed.
ALLERGIES: NKDA
PLAN: follow up in 2 weeks.""",
    "discharge": """DISCHARGE SUMMARY
HOSPITAL COURSE: The patient was admitted with pneumonia and was discharged home.
DISCHARGE MEDICATIONS: amoxicillin 500 mg three times daily.
ALLERGIES: penicillin""",
    "consultation": """REASON FOR CONSULTATION: anemia
PAST MEDICAL HISTORY: Diabetes.
FAMILY HISTORY: Noncontributory.
PHYSICAL EXAMINATION: No acute distress. BP 120/80.
IMPRESSION: Anemia.""",
    "psychiatric": """SUBJECTIVE: The patient reports poor sleep. She denies suicidal ideation.
MEDICATIONS: Zoloft 50 mg daily.
SOCIAL HISTORY: Lives alone.
ASSESSMENT: Depression.""",
    "pediatric": """CHIEF COMPLAINT: fever
HISTORY: This 6-month-old infant was brought in by his mother.
IMMUNIZATIONS: up to date.
PHYSICAL EXAM: Lungs are clear.""",
    "emergency": """CHIEF COMPLAINT
Chest pain.
REVIEW OF SYSTEMS
Cardiovascular: Endorses chest pain. Denies palpitations.
VITALS
Blood pressure: 140/90 mmHg
DISPOSITION
Discharged home.""",
    "surgical": """PREOPERATIVE DIAGNOSIS: gallstones
PAST SURGICAL HISTORY: appendectomy
MEDICATIONS: none
ALLERGIES: none
PLAN: The patient was seen today; return to clinic in 2 weeks.""",
    "paragraphs": """HPI
Mr. Hall presents for follow-up. He denies chest pain. Takes metformin 500 mg twice daily.
EXAM
No murmurs.
ASSESSMENT
Type 2 diabetes.""",
    "bullets": """ASSESSMENT AND PLAN
• Asthma: albuterol 2 puffs as needed
VITALS REVIEWED
• BP 118/76
PHYSICAL EXAMINATION
• Respiratory: no wheezes.
HISTORY OF PRESENT ILLNESS
The patient presents to the clinic with a cough.""",
}
OTHERS = {
    "court": """PROCEDURE
The case originated in an application against Turkey. The applicant was represented by counsel.
THE LAW
The Court considers that the applicant, a party to an agreement made between him and the State, shall be heard.
The Court notes. The Court finds. The applicant complained. FOR THESE REASONS, THE COURT""",
    "judgment": """IN THE HIGH COURT
The appellant entered into an agreement with the respondent. Learned counsel for the petitioner argued.
The plaintiff shall succeed. The court held that the defendant was in breach. This lease was made between A and B.""",
    "news": "Acme signs agreement with Beta. The companies said on Monday that a contract worth $5 million was signed.",
    "report": "ANNUAL REPORT PURSUANT TO SECTION 13\nForm 10-K\nIt entered into an agreement with its lenders.",
    "recipe": "Pancakes\nMix 200 g flour with two eggs. Rest for 20 minutes. Results vary.",
    "minutes": "MINUTES\nThe board met on May 5. A motion was made and seconded. The meeting was adjourned.",
    "encyclopedia": "Aspirin is a medication used to reduce pain, fever, and inflammation. Patients take 300 mg daily.",
    "advice": """How to read a lease agreement
In this guide, a contract is explained. For example, a lease shall name both parties. Your lawyer can help. See also.
This article says what an agreement between a landlord and a tenant is made of.""",
    "letter": "Dear Ms. Roe,\nThank you for your letter of May 3. We shall write again.\nYours, J. Doe",
    "textbook": "Chapter 1\nIntroduction\nThe earth is round (Figure 1). Exercises. Summary\nAnswers to exercises.",
    "empty": " ",
    "leaflet": "Ask your doctor if you have an allergy. Take one tablet twice daily. Side effects include nausea.",
}


@pytest.mark.parametrize("text", CONTRACTS.values(), ids=CONTRACTS)
def test_contracts(text: str) -> None:
    assert kind_of(text) == "contract"


@pytest.mark.parametrize("text", PAPERS.values(), ids=PAPERS)
def test_papers(text: str) -> None:
    assert kind_of(text) == "paper"


@pytest.mark.parametrize("text", NOTES.values(), ids=NOTES)
def test_notes(text: str) -> None:
    assert kind_of(text) == "note"


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_other_texts(text: str) -> None:
    assert kind_of(text) == "other"


def test_formats_for_one_kind_need_no_words() -> None:
    jats = b"<article><front><article-meta><title-group><article-title>A lease</article-title></title-group>"
    jats += b"</article-meta></front><body><p>This Agreement is made between A and B.</p></body></article>"
    note = json.dumps({"resourceType": "Observation", "code": {"text": "Sodium"}, "valueString": "138"}).encode()
    assert [document_type(load(data)).kind for data in (jats, note)] == ["paper", "note"]


def test_reasons_are_given_and_scores_are_shares() -> None:
    found = document_type(add_structure(Document.from_text(CONTRACTS["supply"])))
    assert "an opening that names an agreement and its parties" in found.reasons
    assert 0.5 < found.score < 1 and found.points["contract"] > found.points["paper"]
    assert document_type(Document.from_text("Hello.")).reasons == ()


def test_the_length_of_a_document_changes_nothing() -> None:
    text = CONTRACTS["supply"].replace("IN WITNESS", "The parties shall act in good faith. " * 20_000 + "\nIN WITNESS")
    assert document_type(Document.from_text(text)).kind == "contract"


def test_real_documents() -> None:
    contract = load(Path(__file__).parents[1] / "examples" / "sony-gsi-intellectual-property.pdf")
    paper = load(DATA / "plos_jats" / "journal.pmed.0040303.xml")
    as_text = add_structure(Document.from_text(paper.text))
    assert [document_type(each).kind for each in (contract, paper, as_text)][:2] == ["contract", "paper"]
    assert document_type(as_text).kind in ("paper", "other")  # a short piece without references


@pytest.mark.parametrize("run", ["\n", "- \n", " ", ".\n"])
def test_long_runs_without_words_say_nothing(run: str) -> None:
    text = "LEASE AGREEMENT\n\nThis Agreement is made by and between A Ltd. and B Ltd.\n\nWHEREAS, the parties agree."
    plain, padded = (
        document_type(Document.from_text(text + gap + "IN WITNESS WHEREOF")) for gap in ("\n", run * 40_000)
    )
    assert (plain.kind, plain.points) == (padded.kind, padded.points)


def test_the_kind_is_told_once_for_each_document(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    module = sys.modules["longdoc.document_type"]
    parts_of = module._parts_of
    monkeypatch.setattr(module, "_parts_of", lambda text: looked.append(text) or parts_of(text))
    document = add_structure(Document.from_text(CONTRACTS["supply"]))
    contract_record(document)
    assert record_for(document, ["parties"])[0] == document_type(document).kind == "contract"
    assert len(looked) == 1
    bare = replace(document, sections=())
    assert document_type(bare) == document_type(pickle.loads(pickle.dumps(bare)))
    assert len(looked) == 3, "another document, even of the same text, is looked at"
    assert document == pickle.loads(pickle.dumps(document)) and "computed" not in document.to_json()
