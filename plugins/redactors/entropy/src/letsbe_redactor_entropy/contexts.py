"""What is random and no secret: digests, identifiers, images, public keys, paths.

Taking these out breaks requests, lock files and prompt caches, so the place where a
value stands is judged before the value.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from letsbe_redactor_entropy.coins import is_address_of_coins

_NEAR = 32
_NAMED_NEAR = 96
_FAR = 1024

_ELEMENT = re.compile(rb"<([A-Za-z0-9_.:-]{1,64})>\Z")
_NAME = re.compile(rb"[A-Za-z0-9_.-]{1,64}")
_QUOTES = b"\"'`\\"
_OPENING = _QUOTES + b" \t[<"
_HARMLESS_NAME = re.compile(
    rb"""
    (?: .*[._-])? (?:
      data | (?:thought)?_?signatures? | encrypted_?content | thinking | reasoning
    | (?:image|file|video|audio|avatar|icon|download)?_?(?:url|uri) | href | src | path
    | file(?:name|data|_data)? | blob | bytes | base64 | b64(?:_json)? | inline
    | image | png | jpe?g | gif | svg | pdf | audio | video | font | thumbnail
    | prompt_?cache_?key | cache_?key | etag | integrity | digest | checksum | hash
    | (?:file|content|git|source)?_?(?:sha|md5|blake)(?:\d\w*)? | crc\w* | shasum
    | commit | rev(?:ision)? | tree | parent | object | oid | fingerprint | thumbprint
    | ids? | uuid | guid | nonce | cursor | continuation | traceparent | tracestate
    | trace | span | session | sessionkey | kid | request | correlation | key_?id
    | code_?(?:challenge|verifier)
    | public_?key | pub_?key | pubkey | cert(?:ificate)? | ca | x5c | n | x | y | crv
    | [Mm]odulus | exponent | site_?key | boundary | serial(?:_?number)? | id-\d
    | model | name | version | resolved | narhash | h1 | class(?:name)? | tag | slug
    | next_?page_?token | page_?token | next_?token
    | placeholder | challenge | client_?data_?json | attestation_?object | raw_?id
    | authenticator_?data | user_?handle | public_?token
    )
    | [a-z].*(?:Id|ID|Uuid|Hash|Sha|Sha256|Digest|Checksum|Url|Uri|Path|Fingerprint)
    | .*(?:Signature|Cursor|CacheKey|[nN]extToken|PublicKey|Certificate|PageToken)
    | .*[-_]ID | .*_(?:SHA|HASH|DIGEST|URL|PATH|CHALLENGE) | .*PUB(?:LIC)?_?KEY
    | .*SITE_?KEY | clientDataJSON | .*[pP]ublicToken | jkt | ciphertext | iv
    | codeChallenge | userHandle | authenticatorData | attestationObject
    """,
    re.VERBOSE,
)
# What announces a value, as it is read from the value backwards: what stands between
# the two, and the words. Backwards, because an expression that may begin anywhere is
# tried everywhere.
_ANNOUNCEMENTS = {
    rb"\s?,": b"base64",
    rb",\\?": b";base64",
    rb"\?[bq]\?": b"",
    rb"\s?[-:=@/]": b"md5, h1, h2, rmd160, multihash, narhash, crc32, crc32c",
    rb"\s?[-:=@/.]\d{1,3}-?": b"sha",
    rb"\s?[-:=@/]\w{1,4}": b"blake",
    rb"\s{1,4}": b"ssh-rsa, ssh-dss, ssh-ed25519, sk-ssh-ed25519@openssh.com"
    b", ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521, commit, index"
    b", tree, parent, object, merge, revert, blob, tag, head, rev, from"
    b", smtp id, esmtps id, esmtpsa id",
    rb"\s{1,4}:?": b"pubkey, public key, public-key, public_key, publickey, site key"
    b", site-key, site_key, sitekey, fingerprint, peer, checksum, digest, hash, serial"
    b", serial number, serial-number, serial_number",
    rb'"?\\{0,7}(?:/w)?\s?:': b"traceparent, tracestate, etag, if-none-match"
    b", x-request-id",
}
_BACKWARDS = re.compile(
    b"|".join(
        between
        + b"(?:"
        + b"|".join(re.escape(word[::-1]) for word in words.split(b", "))
        + b")"
        for between, words in _ANNOUNCEMENTS.items()
    )
)
_PUBLIC_KEY = re.compile(
    rb"(?:public|publishable|site|host|verify|verification)[ _-]?keys?"
    rb"(?:(?!private|secret)[^\r\n]){0,60}\Z",
    re.IGNORECASE,
)
_MAGIC = re.compile(
    rb"""
      iVBORw0KGgo | /9j/ | R0lGOD | UklGR | PHN2Zy | PD94bW | JVBERi0 | UEsDB | H4sI
    | Qk[0-9A-Z] | AAAA(?:B3NzaC1|C3NzaC1|E2VjZHNh|GnNrLX|HHNr|IGZ0e|GGZ0e) | SUkqA
    | MI(?:GfMA0GCSqGSIb3|IB(?:IjANBgkqhkiG9w0BAQEFAAOC|oTANBgkqhkiG9w0BAQEFAAOC))
    | MI[A-Za-z]{2}IjANBgkqhkiG9w0BAQE | M(?:Fkw|HYw|HkwD)EwYHKoZIzj | MCowBQYDK2V
    | T2dnU | SUQz | d09GM | d09GR | AAEAAAA | GkXfo | data | TVqQ | f0VMR
    """,
    re.VERBOSE,
)
_IDENTIFIER = re.compile(
    rb"""(?:
      call | toolu | srvtoolu | msg | fc | rs | resp | chatcmpl | cmpl | gen | req | run
    | thread | asst | file | item | step | batch | vs | vsfs | ftjob | evt | cus | sub
    | pi | ch | in | prod | price | acct | txn | conv | ctc | ws | ig | mcp[lr]? | ci
    | cntr | container | img | session | sess | agent | user | org | proj | team
    | trace | span | job | task | node | pod | deployment | snap | vol | vpc | subnet
    | sg | ami | eni | rtb | igw | ulid | urn | oc-sent | pk | phc | pk-lf
    | sb_publishable | dpl
    | sha(?:1|256|384|512)?(?=-) | md5(?=-)
    )[_-] | fc(?=_)""",
    re.VERBOSE,
)
_IDENTIFIER_IN_ONE = re.compile(
    rb"""
      call[0-9] | Qm[A-Za-z0-9]{44} | 12D3KooW[A-Za-z0-9]{44} | k(?:5\d|2k4)[a-z0-9]{50}
    | 16Uiu2HA[A-Za-z0-9]{45} | RW[QRST][A-Za-z0-9+/]{53}\Z | --[^-]
    | zb2rh[A-Za-z0-9]{40} | zdj7W[A-Za-z0-9]{40} | G[A-Z2-7]{55}\Z
    | [48][1-9A-HJ-NP-Za-km-z]{94}\Z | z6Mk[A-Za-z0-9]{44}
    | ba[fgh][a-z0-9]{50} | BA[FGH][A-Z0-9]{50}
    | (?:age|npub|addr|cosmos|bc)1[a-z0-9]{30} | [xyz]pub[a-zA-Z0-9]{100}""",
    re.VERBOSE,
)
_UUID = re.compile(rb"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_BLOCK = re.compile(rb"-----? ?(BEGIN|END) ([A-Z0-9 ]{3,60}?) ?-----?")
_MAIL_SIGNATURE = re.compile(
    rb"(?:DKIM-Signature|ARC-Seal|ARC-Message-Signature|X-[A-Za-z-]{1,30}-Signature): "
    rb"(?:[^\r\n\\]|\r?\n[ \t]|(?:\\+r)?\\+n(?: |\\+t)|\\+t)*"
)
# What is sealed, or public by what stands on the line before it: ciphertext of Ansible
# and sops, public keys of PuTTY and minisign, the digest that proves a domain.
_LINE_END = rb"(?:\s|\\+[nrt]){1,12}"
_SEALED = (
    (
        b"$ANSIBLE_VAULT;",
        rb"\$ANSIBLE_VAULT;[\w.;-]{5,60}(?:%b[0-9a-f]{2,80}){1,5000}" % _LINE_END,
    ),
    (b"ENC[", rb"ENC\[[A-Z0-9_]{3,20},[^\]\"'\s]{1,65536}"),
    (
        b"Public-Lines: ",
        rb"Public-Lines: \d+(?:%b[A-Za-z0-9+/]{8,}={0,2}){1,400}" % _LINE_END,
    ),
    (
        b"minisign public key",
        rb"minisign public key[^\r\n\\]{0,60}%bRW[A-Za-z0-9+/]{54}" % _LINE_END,
    ),
    (b"_acme-challenge", rb"_acme-challenge[^\r\n]{0,80}"),
    (b"X509Certificate>", rb"X509Certificate>(?:[A-Za-z0-9+/=\s]|\\+[nrt]){1,20000}"),
)
_SEALS = tuple((mark, re.compile(source)) for mark, source in _SEALED)
_TRANSFER = b"Content-Transfer-Encoding: base64"
_ANNOUNCING = b',-:=@/.? \t"\\'
_MESSAGE_ID = re.compile(rb"[\w+.=/-]{8,200}@[\w.-]{2,200}>")
_ADDRESS = b"/?&=#%.:@~,;+!"
_ADDRESS_ENDS = (b" ", b'"', b"'", b"\n", b"\t", b"`", b"<", b">", b"(", b"\\")
_FILE = re.compile(rb"\.(?:[a-z][a-z0-9]{1,4}|(?:min|map|module)\.[a-z]{2,4})\b")


class PublicBlocks:
    """The stretches of a text that are public: armoured blocks, signatures of mail.

    Args:
        text: The text.
    """

    def __init__(self, text: bytes) -> None:
        blocks = sorted(
            [*_armoured(text), *_signatures(text), *_attachments(text), *_sealed(text)]
        )
        self._starts = [start for start, _ in blocks]
        self._ends = [end for _, end in blocks]

    def holds(self, position: int) -> bool:
        """Say whether a position lies in such a block."""
        index = bisect_right(self._starts, position) - 1
        return index >= 0 and position < self._ends[index]


def _armoured(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield what stands between ``BEGIN`` and ``END`` of what is not private."""
    if b"---BEGIN " not in text and b"--- BEGIN " not in text:
        return
    begin: int | None = None
    for match in _BLOCK.finditer(text):
        if begin is not None:
            yield begin, match.start()
        opens = match[1] == b"BEGIN" and b"PRIVATE" not in match[2]
        begin = match.end() if opens else None
    if begin is not None:
        yield begin, len(text)


def _signatures(text: bytes) -> Iterator[tuple[int, int]]:
    if b"-Signature: " in text or b"ARC-Seal: " in text:
        yield from (match.span() for match in _MAIL_SIGNATURE.finditer(text))


def _sealed(text: bytes) -> Iterator[tuple[int, int]]:
    for mark, pattern in _SEALS:
        if mark in text:
            yield from (match.span() for match in pattern.finditer(text))


def _attachments(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield what mail carries in base64, up to the boundary of the part."""
    position = text.find(_TRANSFER)
    while position >= 0:
        end = text.find(b"--", position)
        end = len(text) if end < 0 else end
        yield position, end
        position = text.find(_TRANSFER, end)


def is_harmless_place(text: bytes, start: int, end: int) -> bool:
    """Say whether what stands at a place is no secret, however random.

    Args:
        text: The whole text.
        start: Where the run begins.
        end: Where it ends.
    """
    before = text[max(0, start - _NAMED_NEAR) : start]
    return (
        _is_announced(before)
        or _is_named_harmless(before)
        or (b"key" in before.lower() and _PUBLIC_KEY.search(before) is not None)
        or before.endswith(b"::")
        or b"v=DKIM1" in before
        or _is_in_address(text, start)
        or (text[end : end + 1] == b"." and _FILE.match(text, end) is not None)
    )


def is_file_content(value: bytes) -> bool:
    """Say whether a value begins as pictures, archives and public keys do."""
    return _MAGIC.match(value) is not None


def _is_announced(before: bytes) -> bool:
    """Say whether what comes right before a value says what it is."""
    if before[-1:] not in _ANNOUNCING:
        return False
    return _BACKWARDS.match(before[: -_NEAR - 1 : -1].lower()) is not None


def _is_named_harmless(before: bytes) -> bool:
    name = _name_at_end(before)
    return bool(name) and _HARMLESS_NAME.fullmatch(name) is not None


def _name_at_end(before: bytes) -> bytes:
    """Return the name that a value is given to, as in ``"name": "`` or ``name=``."""
    before = before.rstrip(_OPENING)
    if before[-1:] == b">":
        if element := _ELEMENT.search(before):
            return element[1]
        before = before[:-1]
    if before[-1:] not in (b":", b"="):
        return b""
    before = before.rstrip(b":=").rstrip().rstrip(b"]" + _QUOTES)
    match = _NAME.match(before[::-1])
    return match[0][::-1] if match else b""


def is_identifier(value: bytes) -> bool:
    """Say whether a value is an identifier of a known form."""
    if _IDENTIFIER_IN_ONE.match(value) or is_address_of_coins(value):
        return True
    if value.isalnum():
        return False
    return _IDENTIFIER.match(value) is not None or (
        value.count(b"-") >= 4 and _UUID.search(value) is not None
    )


def _is_in_address(text: bytes, start: int) -> bool:
    """Say whether a place lies in a URL or in a path."""
    if text[start] == 0x2F:
        return True
    if text[start - 1 : start] == b"<" and b"@" in text[start : start + _FAR]:
        # <drawn@host>, as mails call each other
        return _MESSAGE_ID.match(text, start) is not None
    if text[start - 1 : start] not in _ADDRESS or not start:
        return False
    near = max(0, start - _FAR)
    begin = max(text.rfind(end, near, start) + len(end) for end in _ADDRESS_ENDS)
    head = text[max(begin, near) : start]
    return b"://" in head or head.startswith((b"/", b"~/", b"./", b"../"))
