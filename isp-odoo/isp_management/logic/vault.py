"""Secrets at rest: AES-256-GCM under keys from a file, with the place of the value as associated data.

A sealed value is ``v1.<key id>.<base64url of nonce and ciphertext>``. The associated data names model, field and
record id, so that a sealed value copied to another row does not open there.
"""

import base64
import hashlib
import hmac
import os
import stat

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = "v1"


class VaultError(Exception):
    """A value that cannot be sealed or opened. ``code`` is stable; the message holds no secret."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Vault:
    """Seals with the first key and opens with any of them."""

    def __init__(self, keys):
        if not keys:
            raise VaultError("vault.no_key", "the key file holds no key")
        if any(len(key) != KEY_BYTES for key in keys):
            raise VaultError("vault.key_length", "a vault key has %s bytes" % KEY_BYTES)
        self._keys = {_key_id(key): AESGCM(key) for key in keys}
        self._first = _key_id(keys[0])
        # The index must stay the same when a key is added in front, so it belongs to the oldest one.
        self._index_key = hashlib.sha256(b"isp-index" + keys[-1]).digest()

    def seal(self, text, place):
        """Seal ``text`` for ``place``, a tuple such as ``("isp.router", "password", 7)``."""
        nonce = os.urandom(NONCE_BYTES)
        box = self._keys[self._first].encrypt(nonce, text.encode(), _associated(place))
        return ".".join((VERSION, self._first, base64.urlsafe_b64encode(nonce + box).decode()))

    def open(self, sealed, place):
        """Return what was sealed for ``place``."""
        version, _, rest = sealed.partition(".")
        key_id, _, box = rest.partition(".")
        key = self._keys.get(key_id)
        if version != VERSION or not box:
            raise VaultError("vault.format", "the sealed value has an unknown form")
        if key is None:
            raise VaultError("vault.unknown_key", "the key that sealed this value is not in the key file")
        raw = base64.urlsafe_b64decode(box)
        try:
            return key.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _associated(place)).decode()
        except InvalidTag:
            raise VaultError("vault.forged", "the sealed value was changed or belongs to another record") from None

    def index(self, text):
        """Return a keyed digest, to find an exact value without opening any."""
        return hmac.new(self._index_key, text.encode(), hashlib.sha256).hexdigest()


def load(path):
    """Read the vault of a key file that exists: a base64 key a line, the first one seals."""
    mode = os.stat(path).st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise VaultError("vault.key_open", "the key file must be readable by its owner only (chmod 0400)")
    with open(path, encoding="ascii") as file:
        return Vault([base64.b64decode(line) for line in file.read().split()])


def create(path):
    """Write a new key to ``path`` with mode 0400; of two processes at once only one key is used by both."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    draft = "%s.%s" % (path, os.getpid())
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        os.unlink(draft)


def _key_id(key):
    return hashlib.sha256(b"isp-key" + key).hexdigest()[:8]


def _associated(place):
    return "\x1f".join(str(part) for part in place).encode()
