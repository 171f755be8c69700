"""Words that name a role in a contract, such as "Licensor", as opposed to a party."""

from __future__ import annotations

import re

ROLE_WORDS = frozenset(
    """a adviser advisor affiliate affiliated affiliates agency agent and assignee assignor association bank borrower
    buyer carrier celebrity client collectively company consignee consignor consultant contractor corporation
    customer dealer depositor developer director distributor each employee employer endorser entities executive
    franchisee franchisor fund funds general grantee grantor guarantor hereinafter holder holders host individually
    insurer investor issuer joint jointly landlord lender lessee lessor licensee licensees licensor licensors
    manager manufacturer marketing master member members operator or our owner parent participant participants
    partner partners partnership parties party principal promoter provider purchaser recipient representative
    reseller sales securityholder securityholders seller service servicer services shareholder shareholders shipper
    singularly spokesperson sponsor stockholder stockholders sub subsidiary supplier talent tenant the together
    transporter trust trustee undersigned underwriter us user vendor venturer venturers we you your""".split()
)


def is_role(name: str) -> bool:
    """Whether every word names a role; True for a text without words, too.

    >>> is_role("the Managing Partner"), is_role("General Partner"), is_role("Partner Re Ltd.")
    (False, True, False)
    """
    return all(word.lower() in ROLE_WORDS for word in re.findall(r"\w+", name))
