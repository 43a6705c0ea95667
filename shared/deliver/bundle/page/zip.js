// The files of a bundle: out of the zip as it was sent, or out of a folder that it was unpacked to. Nothing is read at once but small files.
//
// A bundle's zip has one shape: entries one after another from the first byte on, sorted by name, then the directory, then the end, whose
// comment is the SHA-256 of every byte before it. So whatever is hidden between entries, or said differently in two places, is found.

const NAME = new RegExp(
  "^(?:README\\.txt|SHA256SUMS|manifest\\.json|checkpoint|catalogue\\.json|findings\\.csv|period\\.json|disclosures\\.json|verify\\.py|index\\.html"
  + "|by-control/(?:[a-z0-9]{1,40}/[a-z0-9][a-z0-9-]{0,80}|[A-Z][A-Za-z0-9 ]{0,38}[A-Za-z0-9]/(?:index|[A-Z0-9][A-Za-z0-9 '(),.-]{0,98}[A-Za-z0-9)]/[A-Z0-9][A-Za-z0-9 '(),.-]{0,98}[A-Za-z0-9)]))\\.csv"
  + "|sample/(?:sample\\.json|population\\.txt|selection\\.txt)|certificate/(?:request\\.json|certificate\\.html)"
  + "|checkpoints/[0-9]{20}(?:\\.[A-Za-z0-9][A-Za-z0-9._-]{0,127}\\.(?:tsr|cosig))?|keys/[0-9]{20}\\.checkpoint|exhibits/[0-9]{6}-[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?|records/[0-9]{20}\\.jsonl"
  + "|tile/[0-9]{1,2}/(?:x[0-9]{3}/)*[0-9]{3}(?:\\.p/[1-9][0-9]{0,2})?|proofs/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\\.tlog-proof"
  + "|body/sha256/([0-9a-f]{2})/\\1[0-9a-f]{62})$"
);
const MAX_ENTRIES = 500000, MAX_DIRECTORY = 256 * 1048576, SMALL = 1048576;
const BY_THE_COMPUTER = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

const WINDOW = 4 * 1048576;

const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());

function joined(parts) {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

function inflated(data) {
  const unpacker = new DecompressionStream("deflate-raw"), writer = unpacker.writable.getWriter();
  // What is wrong with the data is told to whoever reads.
  writer.write(data).catch(() => {});
  writer.close().catch(() => {});
  return unpacker.readable;
}
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

async function* piecesOf(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (error instanceof TypeError) throw new Damaged("the file cannot be unpacked: its bytes were altered");
    throw error;
  } finally {
    reader.cancel().catch(() => {});
  }
}

class FolderSource {
  constructor(files, report) {
    this.files = new Map();
    const seen = new Set();
    for (const file of files) {
      const name = (file.webkitRelativePath || file.name).split("/").slice(1).join("/");
      if (BY_THE_COMPUTER.has(name.split("/").pop())) report.note(`${name} was put there by the file manager of this computer: it is not looked at`);
      else if (!NAME.test(name)) report.problem("no bundle has a file of this name: it is not read", { file: name });
      else if (seen.has(name)) report.problem("the file is there twice", { file: name });
      else this.files.set(name, file);
      seen.add(name);
    }
    this.asWritten = false;
  }

  names() { return [...this.files.keys()].sort(); }
  has(name) { return this.files.has(name); }
  size(name) { return this.files.get(name).size; }
  chunks(name) { return piecesOf(this.files.get(name).stream()); }
  async finish() { /* a folder has no more to it than its files */ }
}

class ZipSource {
  static async open(file, report) {
    const source = new ZipSource();
    source.file = file;
    source.window = { offset: 0, data: new Uint8Array(0) };
    source.entries = new Map();
    await source.readDirectory(report);
    return source;
  }

  names() { return [...this.entries.keys()].sort(); }
  has(name) { return this.entries.has(name); }
  size(name) { return this.entries.get(name).size; }

  // Some bytes of the file. Entries are read in their order, so a few megabytes at a time spare thousands of small reads.
  async at(offset, length) {
    const { window } = this;
    if (offset < window.offset || offset + length > window.offset + window.data.length) {
      const data = await bytesOf(this.file.slice(offset, offset + Math.max(length, WINDOW)));
      this.window = { offset, data };
      return data.subarray(0, length);
    }
    return window.data.subarray(offset - window.offset, offset - window.offset + length);
  }

  async readDirectory(report) {
    const size = this.file.size, base = Math.max(0, size - 66000);
    const tail = await this.at(base, 66000);
    let end = tail.length - 22;
    while (end >= 0 && !(tail[end] === 80 && tail[end + 1] === 75 && tail[end + 2] === 5 && tail[end + 3] === 6)) end -= 1;
    if (end < 0) throw new Refused("the file is no zip, or was cut short or damaged on its way: ask for it again");
    const view = viewOf(tail);
    let count = view.getUint16(end + 10, true), length = view.getUint32(end + 12, true), offset = view.getUint32(end + 16, true), wide = 0;
    if (end >= 76 && view.getUint32(end - 20, true) === 0x07064b50 && view.getUint32(end - 76, true) === 0x06064b50) {
      wide = 76;
      [count, length, offset] = [32, 40, 48].map((place) => Number(view.getBigUint64(end - 76 + place, true)));
    }
    if (count > MAX_ENTRIES || length > MAX_DIRECTORY) throw new Refused(`the zip claims ${count} entries: a bundle has at most ${MAX_ENTRIES}, it is not unpacked`);
    if (offset + length + wide !== base + end) throw new Refused("the zip's directory is not where its end says: it was cut, or bytes were put in; ask for it again");
    const comment = new TextDecoder("latin1").decode(tail.subarray(end + 22));
    if (view.getUint16(end + 20, true) !== comment.length) throw new Refused("the end of the zip is damaged: ask for it again");
    this.asWritten = /^sha256:[^]{64}$/.test(comment);
    if (this.asWritten && (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== view.getUint16(end + 10, true))) report.problem("the end of the zip is not as a bundle's is");
    this.sealed = comment.slice(7);
    this.upto = base + end;
    if (comment && !this.asWritten) report.problem("the bytes at the end of the zip are not those that were written");
    if (!comment) report.note("the zip was packed again by another program since it was built: its content is what was checked");
    this.walk(await this.at(offset, length), count, offset, report);
  }

  walk(directory, count, start, report) {
    const view = viewOf(directory);
    let position = 0, expected = 0, previous = "";
    for (let number = 0; number < count; number += 1) {
      if (position + 46 > directory.length || view.getUint32(position, true) !== 0x02014b50) throw new Refused(`the zip's directory is damaged at entry ${number + 1}: ask for it again`);
      const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) => view.getUint16(position + place, true));
      const after = position + 46 + nameLength + extraLength + commentLength;
      const name = new TextDecoder("utf-8").decode(directory.subarray(position + 46, position + 46 + nameLength));
      const entry = {
        name, method: view.getUint16(position + 10, true), crc: view.getUint32(position + 16, true), packed: view.getUint32(position + 20, true),
        size: view.getUint32(position + 24, true), offset: view.getUint32(position + 42, true),
      };
      const extra = directory.subarray(position + 46 + nameLength, Math.min(position + 46 + nameLength + extraLength, directory.length));
      const fields = [];
      if (extra.length >= 4 && extra[0] === 1 && extra[1] === 0) for (let i = 4; i + 8 <= extra.length; i += 8) fields.push(Number(viewOf(extra).getBigUint64(i, true)));
      if (entry.size === 0xffffffff && entry.packed === 0xffffffff && fields.length >= 2) [entry.size, entry.packed] = fields.splice(0, 2);
      if (entry.offset === 0xffffffff && fields.length) entry.offset = fields.shift();
      if (this.asWritten) {
        const plain = view.getUint16(position + 8, true) === 0 && view.getUint16(position + 12, true) === 0 && view.getUint16(position + 14, true) === 33;
        if (entry.offset !== expected || name <= previous || !plain || commentLength) report.problem("the entry's place in the zip is not as a bundle's is, or it is there twice", { file: name });
        expected = entry.offset + 30 + nameLength + (entry.size >= 0xff000000 ? 20 : 0) + entry.packed;
      }
      const folder = name.endsWith("/") && entry.size === 0 && !this.asWritten;
      if (!folder && (!NAME.test(name) || view.getUint16(position + 8, true) & 1)) report.problem("no bundle has an entry of this name, or an encrypted one: it is not read", { file: name });
      else if (this.entries.has(name)) report.problem("the entry is there twice", { file: name });
      else if (!folder) this.entries.set(name, entry);
      [position, previous] = [after, name];
    }
    if (position !== directory.length || (this.asWritten && expected !== start)) report.problem("there are bytes in the zip that belong to no entry");
  }

  // The content of an entry, never more of it than it declares.
  async* chunks(name) {
    const entry = this.entries.get(name);
    if (entry.size > 65536 && entry.size > 200 * entry.packed) throw new Damaged(`the entry claims ${entry.size} bytes out of ${entry.packed}: that is what a zip bomb does, it is not unpacked`);
    const header = await this.at(entry.offset, 30);
    if (header.length < 30 || viewOf(header).getUint32(0, true) !== 0x04034b50) throw new Damaged("the entry is not where the zip's directory says");
    const lengths = viewOf(header);
    const start = entry.offset + 30 + lengths.getUint16(26, true) + lengths.getUint16(28, true);
    if (start + entry.packed > this.file.size || (entry.method !== 0 && entry.method !== 8)) throw new Damaged("the entry is longer than the file, or packed in a way that no bundle is");
    let total = 0;
    if (entry.method === 0 && entry.packed === entry.size && entry.size <= SMALL) {
      if (entry.size) yield await this.at(start, entry.size);
      return;
    }
    const blob = this.file.slice(start, start + entry.packed);
    const stream = entry.method === 0 ? blob.stream() : entry.packed <= SMALL ? inflated(await this.at(start, entry.packed)) : blob.stream().pipeThrough(new DecompressionStream("deflate-raw"));
    for await (const data of piecesOf(stream)) {
      total += data.length;
      if (total > entry.size) throw new Damaged("the entry unpacks to more than it declares");
      yield data;
    }
    if (total !== entry.size) throw new Damaged("the entry does not unpack to what it declares: its bytes were altered");
  }

  // The digest at the end of the file against the file: what was found before says where.
  async finish(report) {
    if (!this.asWritten || report.counts.problems) return;
    const digest = new Sha256();
    const end = this.upto; // the end record; a zip64 record before it is covered
    for await (const data of piecesOf(this.file.slice(0, end).stream())) digest.update(data);
    if (hex(digest.digest()) !== this.sealed) report.problem("the bytes of the file are not those that were written (the digest at its end differs): ask for it again");
  }
}
