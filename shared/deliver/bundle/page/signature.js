// The signed checkpoint (c2sp.org/signed-note, tlog-checkpoint) and the verifier key that the reader brings.

function decode64(text) {
  let raw;
  try {
    raw = atob(text);
  } catch {
    throw new TypeError("not base64");
  }
  need(btoa(raw) === text, "base64 that is spelled in another way than it is written");
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

function encode64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

// NAME+8 HEX DIGITS+BASE64: Ed25519 (type 1) or ECDSA over P-256 (type 2).
function parseKey(line) {
  const found = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(line.trim());
  let blob;
  try {
    blob = decode64(found[3]);
  } catch {
    throw new Refused("That is not a verifier key: expected one line, NAME+8 HEX DIGITS+BASE64.");
  }
  const key = { name: found[1], sort: blob[0], material: blob.subarray(1) };
  if (key.sort === 1 && key.material.length === 32) key.id = sha256(new TextEncoder().encode(`${key.name}\n`), blob).subarray(0, 4);
  else if (key.sort === 2) key.id = sha256(key.material).subarray(0, 4);
  else throw new Refused("The verifier key is neither Ed25519 (type 1) nor ECDSA P-256 (type 2).");
  if (hex(key.id) !== found[2]) throw new Refused("The id of the verifier key does not belong to it: copy the whole line again.");
  return key;
}

// A DER signature as WebCrypto wants it: r and s, 32 bytes each. Only the one spelling that DER allows.
function rawSignature(der) {
  const integer = (at) => {
    const length = der[at + 1], bytes = der.subarray(at + 2, at + 2 + length);
    need(der[at] === 2 && length > 0 && bytes.length === length && bytes[0] < 128 && !(length > 1 && bytes[0] === 0 && bytes[1] < 128), "DER");
    const plain = bytes[0] === 0 ? bytes.subarray(1) : bytes;
    need(plain.length <= 32, "DER");
    const out = new Uint8Array(32);
    out.set(plain, 32 - plain.length);
    return [out, at + 2 + length];
  };
  need(der[0] === 0x30 && der[1] === der.length - 2, "DER");
  const [r, middle] = integer(2), [s, end] = integer(middle);
  need(end === der.length, "DER");
  return Uint8Array.of(...r, ...s);
}

// Whether a signature over `text` was made with the key; null where this browser cannot tell.
async function verifies(key, text, signature) {
  let imported;
  try {
    imported = key.sort === 1
      ? await crypto.subtle.importKey("raw", key.material, { name: "Ed25519" }, false, ["verify"])
      : await crypto.subtle.importKey("spki", key.material, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  } catch (error) {
    if (error.name === "NotSupportedError") return null;
    throw new Refused("The verifier key is not one that this browser can read: copy the whole line again.");
  }
  try {
    return key.sort === 1
      ? await crypto.subtle.verify("Ed25519", imported, signature, text)
      : await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, imported, rawSignature(signature), text);
  } catch {
    return false;
  }
}

function parseNote(data) {
  try {
    const whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
    const blank = whole.lastIndexOf("\n\n"), text = whole.slice(0, blank + 1), tail = whole.slice(blank + 2);
    const lines = text.split("\n");
    need(data.length < 1000000 && blank > 0 && tail.endsWith("\n") && !/[\0-\x09\x0b-\x1f]/.test(whole), "note");
    need(lines.length >= 4 && lines.slice(0, -1).every(Boolean) && /^(0|[1-9][0-9]{0,15})$/.test(lines[1]), "checkpoint");
    const root = decode64(lines[2]);
    need(root.length === 32, "root");
    const signatures = tail.slice(0, -1).split("\n").map((line) => {
      const [dash, name, encoded, ...more] = line.split(" ");
      const blob = decode64(encoded ?? "!");
      need(dash === "\u2014" && more.length === 0 && blob.length > 4, "signature");
      return { name, id: hex(blob.subarray(0, 4)), signature: blob.subarray(4) };
    });
    return { origin: lines[0], size: Number(lines[1]), root, signatures, text: new TextEncoder().encode(text) };
  } catch (error) {
    if (error instanceof TypeError) throw new Refused("the checkpoint is malformed: ask for the bundle again");
    throw error;
  }
}

// Whether one of the keys signed: true, or null where this browser cannot tell; anything else is refused.
async function signedBy(note, keys) {
  let found = false;
  for (const { name, id, signature } of note.signatures) {
    for (const key of keys.filter((each) => each.name === name && hex(each.id) === id)) {
      const good = await verifies(key, note.text, signature);
      if (good === null) return null;
      if (!good) throw new Refused(`the signature of ${shown(name)} on the checkpoint does not fit: it was altered, or made by somebody else`);
      if (key.name !== note.origin) throw new Refused(`the checkpoint is of the log ${shown(note.origin)}, the key is for ${shown(key.name)}`);
      found = true;
    }
  }
  if (!found) throw new Refused("the checkpoint is not signed by the key that you gave: use the one that you had from the keeper of the log");
  return true;
}

// The file that proves one record to whoever has the checkpoint (c2sp.org/tlog-proof).
async function proofOf(tree, index, checkpoint) {
  const hashes = [];
  let start = 0, end = tree.size;
  while (end - start > 1) {
    let half = 1;
    while (half * 2 < end - start) half *= 2;
    const middle = start + half;
    if (index < middle) {
      hashes.unshift(await tree.hashOf(middle, end));
      end = middle;
    } else {
      hashes.unshift(await tree.hashOf(start, middle));
      start = middle;
    }
  }
  const head = ["c2sp.org/tlog-proof@v1", `index ${index}`, ...hashes.map(encode64)].join("\n");
  return joined([new TextEncoder().encode(`${head}\n\n`), checkpoint]);
}
