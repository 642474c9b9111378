#!/usr/bin/env python3
"""Verifies EventSync's evidence, without EventSync: written from docs/audit-format.md alone.

    verify.py [--checkpoint FILE]... [--gateway-key KEY] DIRECTORY | LOG.db | EXPORT.jsonl

DIRECTORY is a gateway's data directory (its objects are read, too), LOG.db its log alone, EXPORT.jsonl what `eventsync audit export` made.
Prints each fault as `kind place: reason`. Exits 0 where nothing is wrong, 6 where something is, 2 where it was used wrongly.
Needs Python 3.9 and the package "cryptography" (Debian: python3-cryptography).
"""
import argparse, base64, hashlib, json, os, sqlite3, struct, sys, uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NAMESPACE = uuid.UUID("b8f0d6a2-5c1e-4d0b-9a53-c47e1f2d8e60")
CHUNK_MAX = 4 * 1024 * 1024
GRACE_MS = 5 * 60 * 1000


# 1 Common forms


def sha256(data):
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def canonical(value):
    # Names here are ASCII, and numbers whole: then this is RFC 8785.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def uuid5(name):
    return str(uuid.uuid5(NAMESPACE, name))


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def merkle_root(leaves):
    level = list(leaves)
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        level = [node(level[i], level[i + 1]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
    return level[0]


def root_from_path(leaf, index, size, path):
    if not 0 <= index < size:
        return None
    i, n, at, rest = index, size - 1, leaf, list(path)
    while n > 0:
        if not (i == n and i % 2 == 0):
            if not rest:
                return None
            sibling = bytes.fromhex(rest.pop(0))
            at = node(sibling, at) if i % 2 else node(at, sibling)
        i, n = i // 2, n // 2
    return None if rest else at


def signed(key, text, signature):
    try:
        raw, mark = base64.b64decode(key, validate=True), base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(raw).verify(mark, text.encode())
        return True
    except (InvalidSignature, ValueError, TypeError):
        return False


def agent_key(public):
    try:
        return sha256(base64.b64decode(public, validate=True))[:32].upper()
    except (ValueError, TypeError):
        return None


def field(text):
    data = text.encode()
    return str(len(data)).encode() + b":" + data


def chain_of(before, event):
    fields = [before, event.stream, str(event.revision), event.id, event.type, event.data, event.metadata]
    return hashlib.sha256(b"".join(map(field, fields))).hexdigest()


def file_id(folder, revision):
    return sha256(folder)[:16] + format(revision, "016x")


class Event:
    def __init__(self, stream, revision, id, type, data, metadata, chain):
        self.stream, self.revision, self.id, self.type = stream, revision, id, type
        self.data, self.metadata, self.chain = data, metadata, chain

    @property
    def at(self):
        return f"{self.stream}@{self.revision}"


class Wrong(Exception):
    """An event that is not of its form."""


def need(condition, what):
    if not condition:
        raise Wrong(what)


TYPES = {
    "account": {"AccountRegistered", "AgentRegistered", "AgentRenamed", "AgentRevoked", "SignInsRefused", "PasswordChanged"},
    "folder": {"FolderCreated", "FileCreated", "FileUpdated", "FileMoved", "FileDeleted", "DeletionHeld", "DeletionApproved"},
    "agent": {"AgentSynced"},
    "packs": {"PackStored", "PackRetiring", "PackRemoved"},
    "gateway": {"Checkpoint", "RetentionStarted", "RetentionEnded", "GatewayStarted", "GatewayPassed", "GatewayStopped", "SignInsRefused"},
}
FILE_EVENTS = {"FileCreated", "FileUpdated", "FileMoved", "FileDeleted"}


class Verifier:
    def __init__(self, gateway_key=None):
        self.faults = 0
        self.events = 0
        self.heads = {}  # stream -> (revision, chain, what the chain must be)
        self.chains = {}  # stream -> {revision: chain}
        self.agents, self.emails, self.owners = {}, {}, {}
        self.folders = {}
        self.chunks, self.packs, self.manifests = {}, {}, []
        self.claims = []  # (kind, by, stream, revision, chain)
        self.gateway_key = gateway_key

    def fault(self, kind, place, reason):
        self.faults += 1
        print(f"{kind} {place}: {reason}".encode("unicode_escape").decode())

    # 2 Events, streams, chain

    def take(self, event):
        self.events += 1
        last, chain, must = self.heads.get(event.stream, (-1, "", ""))
        if event.revision == last + 1:
            right = {chain_of(chain, event), chain_of(must, event)}
            if event.chain not in right:
                self.fault("chain", event.at, "its chain is not that of its fields and of the event before")
            elif chain != must and event.chain == chain_of(must, event):
                self.chains[event.stream][last] = must
            computed = event.chain if event.chain in right else chain_of(must, event)
        else:
            self.fault("gap", event.at, f"revision {last + 1} should stand here")
            if event.revision <= last:
                return
            computed = event.chain
            self.lose(event)
        self.heads[event.stream] = (event.revision, event.chain, computed)
        self.chains.setdefault(event.stream, {})[event.revision] = event.chain
        try:
            self.understand(event)
        except (Wrong, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            self.fault("format", event.at, f"it cannot be understood: {error}")
            self.lose(event)

    def lose(self, event):
        if event.stream.startswith("folder-"):
            self.folder(event.stream).lose(event)

    def folder(self, stream):
        if stream not in self.folders:
            self.folders[stream] = Folder(self, stream[7:])
        return self.folders[stream]

    def understand(self, event):
        kind = event.stream.split("-")[0]
        need(event.type in TYPES.get(kind, ()), "its type is not known")
        data, metadata = json.loads(event.data), json.loads(event.metadata)
        need(isinstance(data, dict) and data.get("v") == 1 and not isinstance(data["v"], bool), "its version is not known")
        need(metadata["proof"] in ("signed", "password", "gateway"), "its proof is not known")
        need(isinstance(metadata["time"], (int, float)), "it has no time")
        if kind == "folder":
            self.folder(event.stream).take(event, data, metadata)
        elif kind == "account":
            self.take_account(event, data, metadata)
        elif kind == "agent":
            self.take_witness(event, data)
        elif kind == "packs":
            self.take_packs(event, data)
        elif event.type == "Checkpoint":
            self.take_checkpoint(event, data)

    # 8 Accounts and agents

    def take_account(self, event, data, metadata):
        if event.type == "AccountRegistered":
            email = data["email"]
            self.emails[data["account"]] = email
            if sha256("account\0" + email)[:32] != data["account"] or event.stream != "account-" + data["account"]:
                self.fault("format", event.at, "the account is not that of its address and stream")
            self.expect_id(event, f"account/{data['account']}/registered")
        elif event.type == "AgentRegistered":
            account, agent, public = data["account"], data["agent"], data["publicKey"]
            if event.stream != "account-" + account:
                self.fault("format", event.at, "it is in the stream of another account")
            self.expect_id(event, f"agent/{account}/{agent}/registered")
            if agent in self.agents:
                return self.fault("agent", event.at, "the agent is enrolled a second time")
            self.agents[agent] = {"account": account, "key": public, "revoked": None}
            if public is not None and agent_key(public) != agent:
                self.fault("signature", event.at, "the public key is not that of the agent")
            voucher, mark = data["vouchedBy"], data["countersignature"]
            if public is not None and voucher != "operator" and mark is not None:
                key = self.agents.get(voucher, {}).get("key")
                if key is None or not signed(key, f"eventsync-countersign\0{self.emails.get(account)}\0{public}", mark):
                    self.fault("signature", event.at, "the countersignature is not that of the agent that vouches")
        elif event.type == "SignInsRefused":
            if event.stream != "account-" + data["account"]:
                self.fault("format", event.at, "it is in the stream of another account")
        elif event.type == "AgentRevoked" and data["agent"] in self.agents:
            agent = self.agents[data["agent"]]
            agent["revoked"] = agent["revoked"] or metadata["time"]

    def expect_id(self, event, name):
        if event.id != uuid5(name):
            self.fault("id", event.at, "its id is not that of such an event")

    def author(self, event, agent, metadata):
        known = self.agents.get(agent)
        if known is None:
            self.fault("agent", event.at, "its agent was never enrolled")
        elif known["account"] != metadata.get("account"):
            self.fault("agent", event.at, "its agent is of another account")
        elif known["revoked"] is not None and metadata["time"] > known["revoked"] + GRACE_MS:
            self.fault("agent", event.at, "its agent had been revoked")
        return known

    # 9 Witnesses, checkpoints

    def take_witness(self, event, data):
        agent, folder, position, chain = data["agent"], data["folder"], data["position"], data["chain"]
        if event.stream != "agent-" + agent:
            self.fault("format", event.at, "it is in the stream of another agent")
        key = self.agents.get(agent, {}).get("key")
        if key is None:
            return self.fault("agent", event.at, "its agent was never enrolled with a key")
        if not signed(key, f"eventsync-witness\0{folder}\0{position}\0{chain}", data["signature"]):
            self.fault("signature", event.at, "the signature is not that of its agent")
        if position >= 0:
            self.claims.append(("witness", event.at, "folder-" + folder, position, chain))

    def take_checkpoint(self, event, data):
        self.gateway_key = self.gateway_key or data["gatewayKey"]
        if data["gatewayKey"] != self.gateway_key:
            self.fault("checkpoint", event.at, "it is signed by another key than the gateway has")
        self.expect_id(event, f"checkpoint/{data['signature']}")
        if not signed(data["gatewayKey"], "eventsync-checkpoint\0" + canonical(data["heads"]), data["signature"]):
            self.fault("signature", event.at, "the signature is not that of the gateway")
        for stream, revision, chain in data["heads"]:
            self.claims.append(("checkpoint", event.at, stream, revision, chain))

    def take_outside(self, text, by):
        try:
            page = json.loads(text)
            claims = self.claims_of(page, by)
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.fault("checkpoint", by, "it is no checkpoint, and no witness")
        self.gateway_key = self.gateway_key or page["GatewayKey"]
        if page["GatewayKey"] != self.gateway_key:
            self.fault("checkpoint", by, "it is of another gateway's key")
        self.claims += claims

    def claims_of(self, page, by):
        stream = "folder-" + page["Folder"]
        if "PublicKey" not in page:
            claim = {name: page[name] for name in ("Chain", "Folder", "Position", "Time")}
            if not signed(page["GatewayKey"], "eventsync-folder-checkpoint\0" + canonical(claim), page["Signature"]):
                self.fault("checkpoint", by, "its signature is not that of the key that it names")
                return []
            return [("checkpoint", by, stream, page["Position"], page["Chain"])]
        rest = {name: value for name, value in page.items() if name != "Signature"}
        if not signed(page["PublicKey"], "eventsync-folder-witness\0" + canonical(rest), page["Signature"]):
            self.fault("witness", by, "its signature is not that of the key that it names")
            return []
        claims = [("witness", by, stream, page["Position"], page["Chain"])]
        if "Receipt" in page:
            receipt = page["Receipt"]
            said = json.loads(receipt["Statement"])
            root = root_from_path(leaf_hash(receipt["Statement"].encode()), receipt["Index"], receipt["Size"], receipt["Path"])
            text = "eventsync-receipts\0" + (root.hex() if root else "")
            if said["Folder"] != page["Folder"] or not signed(page["GatewayKey"], text, receipt["Signature"]):
                self.fault("checkpoint", by, "its receipt is not the gateway's for this folder")
            else:
                claims.append(("checkpoint", by, stream, said["Position"], said["Chain"]))
        return claims

    # 10 Contents

    def name(self, event, hash, size):
        known = self.chunks.setdefault(hash, {"size": size, "by": None, "pack": None, "released": False})
        if known["size"] != size:
            self.fault("size", event.at, f"the chunk {hash} has another size elsewhere")
        if known["by"] is None or known["released"]:
            known["by"] = event.at
        known["released"] = False

    def take_packs(self, event, data):
        if event.type == "PackStored":
            entries = data["entries"]
            self.expect_id(event, f"pack/{data['pack']}/" + "".join(entry[0] for entry in entries))
            self.packs[data["pack"]] = {"at": event.at, "entries": entries, "retired": False}
            for hash, offset, size in entries:
                known = self.chunks.setdefault(hash, {"size": size, "by": None, "pack": None, "released": False})
                known.update(pack=data["pack"], released=False)
        elif event.type == "PackRetiring":
            if data["pack"] in self.packs:
                self.packs[data["pack"]]["retired"] = True
            for hash in data["chunks"]:
                if hash in self.chunks and self.chunks[hash]["pack"] == data["pack"]:
                    self.chunks[hash]["released"] = True

    def take_content(self, event, content):
        if content["Kind"] == "directory":
            return
        chunks = content.get("Chunks")
        if chunks is None:
            manifest = content["Manifest"]
            self.name(event, manifest["Hash"], manifest["Size"])
            self.manifests.append((event.at, content))
            return
        for hash, size in chunks:
            self.name(event, hash, size)
        if not makes(content, chunks):
            self.fault("manifest", event.at, "its chunks do not make its content")

    # The end

    def finish(self, whole=True):
        for folder in self.folders.values():
            folder.end()
        for kind, by, stream, revision, chain in self.claims:
            known = self.chains.get(stream, {}).get(revision)
            if known != chain and (whole or known is not None):
                found = "the log does not hold that event" if known is None else "the log has another chain there"
                self.fault(kind, by, f"it vouches for {stream}@{revision}, and {found}")

    def check_lists(self, read):
        """Manifests, by their bytes."""
        for at, content in self.manifests:
            data = read(content["Manifest"]["Hash"])
            if data is None:
                continue
            if sha256(data) != content["Manifest"]["Hash"] or len(data) % 36:
                self.fault("manifest", at, "the list of its chunks is damaged")
                continue
            chunks = [[data[i : i + 32].hex(), struct.unpack(">I", data[i + 32 : i + 36])[0]] for i in range(0, len(data), 36)]
            if not makes(content, chunks):
                self.fault("manifest", at, "the list of its chunks does not make its content")
            for hash, size in chunks:
                known = self.chunks.setdefault(hash, {"size": size, "by": at, "pack": None, "released": False})
                known["by"] = known["by"] or at


def makes(content, chunks):
    hashes = [bytes.fromhex(hash) for hash, _ in chunks]
    root = hashes[0] if len(hashes) == 1 else merkle_root([leaf_hash(hash) for hash in hashes])
    return sum(size for _, size in chunks) == int(content["Size"]) and root.hex() == content["Hash"]


class Folder:
    """One folder's stream: sections 5 to 7."""

    def __init__(self, verifier, id):
        self.v, self.id, self.stream = verifier, id, "folder-" + id
        self.latest = {}  # (agent, epoch) -> (number, root)
        self.open = None
        self.tree, self.versions, self.children = {}, {}, {}
        self.beside, self.known = [], True

    def fault(self, kind, event, reason):
        self.v.fault(kind, event.at, reason)

    def lose(self, event):
        if self.open is not None and self.open["last"] < event.revision:
            self.close()
        self.known = False

    def take(self, event, data, metadata):
        at = event.data.find(',"change":')
        text = event.data[at + 10 : -1] if at >= 0 else None
        change = json.loads(text) if text is not None else None
        need(change is None or change == data.get("change"), "its change is not its last field")
        is_file = event.type in FILE_EVENTS
        made = self.made_of(event, data, change) if is_file else None
        if metadata["proof"] == "signed":
            self.take_signed(event, metadata, text)
        elif metadata["proof"] == "gateway":
            if is_file:
                self.fault("signature", event, "nobody signed it")
        else:
            known = self.v.author(event, metadata.get("agent"), metadata)
            if known is not None and known["key"] is not None:
                self.fault("signature", event, "nobody signed it, though its agent has a key")
        if event.type == "FolderCreated":
            self.v.owners[self.id] = data["account"]
            if sha256(f"folder\0{data['account']}\0{data['name']}")[:32] != self.id or event.revision != 0:
                self.fault("format", event, "the folder is not that of its account and name")
            self.v.expect_id(event, f"folder/{self.id}/created")
        if not is_file:
            return
        if made["content"] is not None:
            self.v.take_content(event, made["content"])
        if change is None:
            self.beside.append((event, made))
            return
        need(change["Action"] in ("Create", "Update", "Move", "Delete"), "its change is of another kind")
        for beside, other in self.beside:
            self.judge(beside, other, change["File"], change["Action"], made["path"])
        self.judge(event, made, change["File"], change["Action"], None)
        self.beside = []

    def made_of(self, event, data, change):
        file = (change or {}).get("File", {})
        base = data.get("base", file.get("Base"))
        need(event.type == "FileCreated" or (isinstance(base, int) and not isinstance(base, bool)), "it has no base")
        content = None
        if event.type != "FileDeleted":
            content = data.get("content", file if change is not None else None)
            need(content is not None and content["Kind"] in ("file", "directory", "symlink"), "it has no content")
        made = {"fileId": data["fileId"], "path": data.get("path", file.get("OriginalName")), "base": base, "content": content}
        made["own"] = "content" not in data
        made["from"] = data.get("from", file.get("MovedFrom"))
        names = made["path"].split("/")
        need(all(name not in ("", ".", "..") for name in names), "its path is none")
        return made

    # 5 Signed messages

    def take_signed(self, event, metadata, text):
        if "message" in metadata:
            self.begin(event, metadata)
        message = self.open
        if message is None or event.revision > message["last"]:
            return self.fault("change", event, "it belongs to no signed message")
        head, index = message["head"], metadata["index"]
        if (metadata["agent"], metadata["epoch"], metadata["number"]) != (head["Agent"], head["Epoch"], head["Number"]):
            return self.fault("change", event, "it names another message than the one that it stands in")
        if text is None:
            message["beside"].append((event, index))
        else:
            self.take_change(message, event, index, leaf_hash(text.encode()))
        if event.revision == message["last"]:
            self.close()

    def begin(self, event, metadata):
        self.close()
        record = metadata["message"]
        head, outcomes = record["head"], record["outcomes"]
        leaves = [None] * len(outcomes)
        for index, leaf in record.get("refusedLeaves", []):
            leaves[index] = bytes.fromhex(leaf)
        last = max([event.revision] + [outcome["Version"] for outcome in outcomes if outcome["Status"] == 200])
        self.open = {"event": event, "head": head, "outcomes": outcomes, "leaves": leaves, "last": last, "beside": []}
        if head["Folder"] != self.id:
            self.fault("moved", event, "its message was signed for another folder")
        if head["Position"] >= event.revision:
            self.fault("witness", event, "its sender had seen more of the folder than there was")
        elif head["Position"] >= 0:
            self.v.claims.append(("witness", event.at, self.stream, head["Position"], head["Chain"]))
        sender = (head["Agent"], head["Epoch"])
        number, root = self.latest.get(sender, (-1, ""))
        if head["Number"] <= number or head["Previous"] != root:
            self.fault("link", event, "its message does not follow the one before it of its agent")
        self.latest[sender] = (head["Number"], head["Root"])
        known = self.v.author(event, head["Agent"], metadata)
        if self.id in self.v.owners and metadata.get("account") != self.v.owners[self.id]:
            self.fault("agent", event, "its account is not the folder's")
        need(set(head) == {"Agent", "Chain", "Count", "Epoch", "Folder", "Format", "Number", "Position", "Previous", "Root"}, "its head has other fields")
        if known is not None and not signed(known["key"] or "", canonical(head), record["signature"]):
            self.fault("signature", event, "its message's signature is not that of its agent")

    def take_change(self, message, event, index, leaf):
        leaves, head = message["leaves"], message["head"]
        if not 0 <= index < len(leaves) or leaves[index] is not None:
            self.fault("change", event, "its message has no such change, or has it already")
        else:
            leaves[index] = leaf
            outcome = message["outcomes"][index]
            if outcome["Status"] != 200 or outcome["Version"] != event.revision:
                self.fault("change", event, "its message was answered otherwise")
        name = f"event/{head['Agent']}/{head['Epoch']}/{head['Number']}/{index}"
        for at, (beside, of) in enumerate(message["beside"]):
            if of != index or beside.id != uuid5(f"{name}/{at + 1}/{leaf.hex()}"):
                self.fault("id", beside, "its id is not that of an event beside the next change")
        message["beside"] = []
        if event.id != uuid5(f"{name}/0/{leaf.hex()}"):
            self.fault("id", event, "its id is not that of its change")

    def close(self):
        message, self.open = self.open, None
        if message is None:
            return
        leaves, head = message["leaves"], message["head"]
        if None in leaves or head["Count"] != len(leaves):
            self.fault("change", message["event"], f"its message has {head['Count']} changes, and lacks some here")
        elif merkle_root(leaves).hex() != head["Root"]:
            self.fault("change", message["event"], "its message's changes are not those that were signed")

    def end(self):
        self.close()

    # 7 What follows from a change

    def judge(self, event, made, file, action, landed):
        if self.known:
            reason = self.verdict(event, made, file, action, landed)
            if reason is not None:
                self.fault("derived", event, f"{made['path']!r}: {reason}")
        self.apply(event, made)

    def entry(self, path):
        entry = self.tree.get(path)
        return entry if entry is not None and entry["live"] else None

    def verdict(self, event, made, file, action, landed):
        if landed is not None:
            return self.verdict_beside(event, made, file, action, landed)
        if made["content"] is not None and not made["own"]:
            return "it has another content than was asked for"
        path, base, asked = made["path"], file["Base"], file["OriginalName"]
        source = file.get("MovedFrom")
        if action == "Delete":
            if event.type != "FileDeleted" or path != asked:
                return "the deletion was of something else"
            if base not in ("any", self.tree.get(path, {}).get("revision")):
                return "the deletion was of another version"
            return self.verdict_replaced(event, made)
        if event.type == "FileDeleted":
            return "nobody asked for a deletion"
        if event.type == "FileMoved":
            entry = self.entry(made["from"])
            if action != "Move" or path != asked or made["from"] != source or entry is None or entry["kind"] == "directory":
                return "no such move was asked for"
            if not self.was_seen(entry, source, base) or made["base"] != entry["revision"] or made["fileId"] != entry["fileId"]:
                return "it moved another version, or another file"
            return "the path was taken" if self.entry(path) else self.verdict_parent(path)
        if action == "Move":
            if path != asked or self.entry(source):
                return "the move did something else"
            if event.type == "FileCreated":
                return self.verdict_created(event, made) if base == "any" else "a move makes no new file"
            return self.verdict_replaced(event, made)
        if event.type == "FileCreated":
            seen = self.versions.get(base) if isinstance(base, int) else None
            if path != asked:
                return "it was made elsewhere than asked"
            if seen and seen["path"] == asked and seen["kind"] == file["Kind"] and any(
                entry["live"] and entry["fileId"] == seen["fileId"] for entry in self.tree.values()
            ):
                return "its file lives at another path"
            return self.verdict_created(event, made)
        entry = self.entry(path)
        if entry is None:
            return "there was nothing at its path"
        if not (path == asked and base in ("any", entry["revision"])):
            if not isinstance(base, int) or not self.is_of(entry, asked, base):
                return "the change was not made on what it replaced"
            if path != asked and entry["kind"] != file["Kind"]:
                return "a change of kind does not follow a file that was moved"
        return self.verdict_replaced(event, made)

    def is_of(self, entry, path, base):
        seen = self.versions.get(base)
        return seen is not None and seen["path"] == path and all(seen[name] == entry[name] for name in ("fileId", "kind", "hash"))

    def was_seen(self, entry, path, base):
        return base in ("any", entry["revision"]) or (isinstance(base, int) and self.is_of(entry, path, base))

    def verdict_beside(self, event, made, file, action, landed):
        if event.type == "FileDeleted":
            entry = self.entry(made["path"])
            if action != "Move" or made["path"] != file["MovedFrom"] or (entry and not self.was_seen(entry, made["path"], file["Base"])):
                return "no move from there was asked for"
            return self.verdict_replaced(event, made)
        content = made["content"] or {}
        if event.type != "FileCreated" or content.get("Kind") != "directory" or content.get("Modified") != "0" or not landed.startswith(made["path"] + "/"):
            return "only missing folders are made beside a change"
        return self.verdict_created(event, made)

    def verdict_created(self, event, made):
        if self.entry(made["path"]):
            return "its path was taken"
        if made["fileId"] != file_id(self.id, event.revision):
            return "its file id is not that of a file made here"
        return self.verdict_parent(made["path"])

    def verdict_parent(self, path):
        parent = path.rpartition("/")[0]
        entry = self.entry(parent) if parent else {"kind": "directory"}
        return None if entry and entry["kind"] == "directory" else "there is no folder that it could be in"

    def verdict_replaced(self, event, made):
        entry = self.entry(made["path"])
        if entry is None:
            return "there was nothing at its path"
        if made["base"] != entry["revision"] or made["fileId"] != entry["fileId"]:
            return "its base or its file id is not that of what was there"
        keeps = made["content"] is not None and made["content"]["Kind"] == "directory"
        if entry["kind"] == "directory" and not keeps and self.children.get(made["path"], 0) > 0:
            return "the folder was not empty"
        return None

    def apply(self, event, made):
        if event.type == "FileMoved":
            self.put(made["from"], event.revision, made["fileId"], None)
        self.put(made["path"], event.revision, made["fileId"], made["content"])
        if made["content"] is not None:
            self.versions[event.revision] = {"path": made["path"], **self.tree[made["path"]]}

    def put(self, path, revision, id, content):
        before = self.entry(path) is not None
        kind = content["Kind"] if content is not None else self.tree.get(path, {}).get("kind")
        hash = sha256("") if content is None or kind == "directory" else content["Hash"]
        self.tree[path] = {"revision": revision, "fileId": id, "live": content is not None, "kind": kind, "hash": hash}
        parent = path.rpartition("/")[0]
        self.children[parent] = self.children.get(parent, 0) + (content is not None) - before


# 3 Where events lie: SQLite


def rows_of(verifier, database):
    """Rows in order; what SQLite cannot read is told and passed over."""
    columns = "position, stream, revision, id, type, data, metadata, chain"
    query = f"SELECT {columns} FROM events WHERE position > ? ORDER BY position LIMIT ?"
    last, step, told = 0, 256, False
    while True:
        try:
            rows = database.execute(query, (last, step)).fetchall()
        except sqlite3.DatabaseError as error:
            if step > 1:
                step = 1
                continue
            if not told:
                verifier.fault("unreadable", f"after record {last}", str(error))
                told = True
            if last >= 2**62:
                return
            last = last + 1 if last < 1_000_000_000 and last % 64 else last * 2 + 1
            continue
        told = False
        for row in rows:
            yield row
            last = row[0]
        if len(rows) < step:
            return
        step = 256


def read_log(verifier, file):
    try:
        database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        database.text_factory = bytes
        names = {id: name.decode() for id, name in database.execute("SELECT id, name FROM streams")}
        for position, stream, revision, *texts in rows_of(verifier, database):
            try:
                if stream not in names or not all(isinstance(text, bytes) for text in texts) or not isinstance(revision, int):
                    raise ValueError("a column is not of its type")
                verifier.take(Event(names[stream], revision, *(text.decode() for text in texts)))
            except ValueError as error:
                verifier.fault("format", f"record {position}", str(error))
                if stream in names and names[stream].startswith("folder-"):
                    verifier.folder(names[stream]).known = False
        database.close()
    except (sqlite3.DatabaseError, AttributeError, UnicodeDecodeError) as error:
        verifier.fault("unreadable", file, str(error))


def read_objects(verifier, root):
    def path_of(kind, hash):
        return os.path.join(root, kind, hash[:2], hash)

    def read(path):
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            return None

    def chunk(hash):
        known = verifier.chunks.get(hash, {})
        pack = verifier.packs.get(known.get("pack"))
        data = read(path_of("packs", known["pack"])) if pack else None
        for name, offset, size in pack["entries"] if data is not None else []:
            if name == hash:
                return data[offset : offset + size]
        return read(path_of("chunks", hash))

    verifier.check_lists(chunk)
    for pack, known in verifier.packs.items():
        data = read(path_of("packs", pack))
        if data is None:
            known["gone"] = True
            if not known["retired"]:
                verifier.fault("pack", known["at"], f"the pack {pack} is not stored")
        elif sha256(data) != pack:
            verifier.fault("object", known["at"], f"the bytes of the pack {pack} have another hash")
        elif data[:8] != b"ESPACK\0\1" or data[-6:] != b"ESPEND" or pack_entries(data) != known["entries"]:
            verifier.fault("pack", known["at"], f"the pack {pack} and its event disagree")
    for hash, known in verifier.chunks.items():
        if known["by"] is None or (known["pack"] and not verifier.packs[known["pack"]].get("gone")):
            continue
        data = read(path_of("chunks", hash))
        if data is None:
            if not known["released"]:
                verifier.fault("missing", known["by"], f"the chunk {hash} is not stored")
        elif len(data) != known["size"]:
            verifier.fault("size", known["by"], f"the chunk {hash} has {len(data)} bytes")
    for folder, _, files in os.walk(os.path.join(root, "chunks")):
        for name in files:
            data = read(os.path.join(folder, name))
            if len(name) == 64 and data is not None and sha256(data) != name:
                by = verifier.chunks.get(name, {}).get("by") or "an object"
                verifier.fault("object", by, f"the bytes of the chunk {name} have another hash")


def pack_entries(data):
    count = struct.unpack(">I", data[-12:-8])[0]
    index = data[len(data) - 12 - 40 * count : -12]
    return [[index[i : i + 32].hex(), *struct.unpack(">II", index[i + 32 : i + 40])] for i in range(0, len(index), 40)]


# 11 Exports


def read_export(verifier, file):
    digest, header, count, ended, stored, absent = hashlib.sha256(), None, 0, False, {}, set()
    with open(file, "rb") as lines:
        for line in lines:
            place = f"line {count + 1}"
            if ended:
                verifier.fault("file", place, "it stands after the end")
                break
            try:
                record = json.loads(line.decode())
                need(line.endswith(b"\n"), "it has no end")
                if record["Kind"] == "End":
                    ended = True
                    if record["Lines"] != count or record["Digest"] != digest.hexdigest():
                        verifier.fault("file", place, "the lines before are not those that were written")
                    if not signed(header["GatewayKey"], f"eventsync-export\0{record['Digest']}", record["Signature"]):
                        verifier.fault("signature", place, "the export's signature is not that of the gateway's key")
                elif (record["Kind"] == "Export") != (count == 0):
                    verifier.fault("file", place, "an export begins with its header, and has one")
                elif record["Kind"] == "Export":
                    header = take_header(verifier, record)
                elif record["Kind"] == "Event":
                    take_event(verifier, header, record)
                elif record["Kind"] == "Chunk":
                    stored[record["Hash"]] = data = base64.b64decode(record["Bytes"], validate=True)
                    if sha256(data) != record["Hash"]:
                        verifier.fault("object", record["Hash"], "the bytes of the chunk have another hash")
                elif record["Kind"] == "Absent":
                    absent.add(record["Hash"])
                elif record["Kind"] == "Checkpoint":
                    verifier.take_outside(record["Text"], "the export's own checkpoint")
                else:
                    verifier.fault("file", place, "its kind is not known")
            except (Wrong, KeyError, TypeError, ValueError, AttributeError) as error:
                verifier.fault("file", place, f"it cannot be understood: {error}")
            digest.update(line)
            count += 1
    if not ended:
        verifier.fault("file", file, "its end was cut off")
    if header is not None and header["Contents"]:
        verifier.check_lists(stored.get)
        for hash, known in verifier.chunks.items():
            if known["by"] and hash not in stored and hash not in absent:
                verifier.fault("missing", known["by"], f"the chunk {hash} is not in the export")
            elif hash in stored and known["by"] and len(stored[hash]) != known["size"]:
                verifier.fault("size", known["by"], f"the chunk {hash} has {len(stored[hash])} bytes")
    return header is not None and is_whole(header)


def is_whole(header):
    return header["From"] == 0 and "Path" not in header


def take_header(verifier, header):
    if verifier.gateway_key not in (None, header["GatewayKey"]):
        verifier.fault("file", "line 1", "it was made with another key than the gateway has")
    verifier.gateway_key = header["GatewayKey"]
    verifier.emails[sha256("account\0" + header["Email"])[:32]] = header["Email"]
    verifier.owners[header["Folder"]] = header["Account"]
    return header


def take_event(verifier, header, record):
    event = Event(*(record[name] for name in ("Stream", "Revision", "Id", "Type", "Data", "Metadata", "Chain")))
    last = verifier.heads.get(event.stream, (-1, "", ""))[0]
    if "Previous" in record and event.revision > last:
        verifier.heads[event.stream] = (event.revision - 1, record["Previous"], record["Previous"])
    if not event.stream.startswith("folder-"):
        return verifier.take(event)
    if event.stream != "folder-" + header["Folder"]:
        verifier.fault("moved", event.at, "it is of another folder than the export")
    if is_whole(header):
        return verifier.take(event)
    verifier.events += 1
    before = verifier.heads.get(event.stream, (-1, "", ""))
    if event.revision != before[0] + 1:
        verifier.fault("gap", event.at, f"revision {before[0] + 1} should stand here")
    elif chain_of(before[1], event) != event.chain:
        verifier.fault("chain", event.at, "its chain is not that of its fields and of the event before")
    verifier.heads[event.stream] = (event.revision, event.chain, event.chain)
    verifier.chains.setdefault(event.stream, {})[event.revision] = event.chain
    data, metadata = json.loads(event.data), json.loads(event.metadata)
    folder = verifier.folder(event.stream)
    at = event.data.find(',"change":')
    if event.type in FILE_EVENTS:
        made = folder.made_of(event, data, data.get("change"))
        if made["content"] is not None:
            verifier.take_content(event, made["content"])
    if at < 0 or metadata["proof"] != "signed":
        return
    if "Proof" not in record:
        return verifier.fault("change", event.at, "nothing shows that it was signed")
    proof = record["Proof"]
    head, leaf = proof["Head"], leaf_hash(event.data[at + 10 : -1].encode())
    if head["Folder"] != header["Folder"] or head["Agent"] != metadata["agent"]:
        verifier.fault("moved", event.at, "its message was signed for another folder, or by another agent")
    elif root_from_path(leaf, proof["Index"], head["Count"], proof["Path"]) != bytes.fromhex(head["Root"]):
        verifier.fault("change", event.at, "its change is none of those that were signed")
    elif event.id != uuid5(f"event/{head['Agent']}/{head['Epoch']}/{head['Number']}/{proof['Index']}/0/{leaf.hex()}"):
        verifier.fault("id", event.at, "its id is not that of its change")
    known = verifier.author(event, metadata["agent"], metadata)
    if known is not None and not signed(known["key"] or "", canonical(head), proof["Signature"]):
        verifier.fault("signature", event.at, "its message's signature is not that of its agent")


def main():
    parser = argparse.ArgumentParser(description="Verifies EventSync's evidence, without EventSync.")
    parser.add_argument("what", help="a gateway's data directory, its log.db, or an export")
    parser.add_argument("--checkpoint", action="append", default=[], help="an exported checkpoint, or a device's witness (may be repeated)")
    parser.add_argument("--gateway-key", help="the gateway's public key, as you know it from elsewhere")
    options = parser.parse_args()
    verifier = Verifier(options.gateway_key)
    for file in options.checkpoint:
        with open(file, encoding="utf-8") as page:
            verifier.take_outside(page.read(), file)
    whole = True
    if os.path.isdir(options.what):
        read_log(verifier, os.path.join(options.what, "log.db"))
        if os.path.isdir(os.path.join(options.what, "objects")):
            read_objects(verifier, os.path.join(options.what, "objects"))
    elif options.what.endswith(".db"):
        read_log(verifier, options.what)
    else:
        whole = read_export(verifier, options.what)
    verifier.finish(whole)
    print(f"{verifier.events} events, {verifier.faults} faults")
    return 6 if verifier.faults else 0


if __name__ == "__main__":
    sys.exit(main())
