// The files, each read once and compared with the manifest, whose own SHA-256 is the bundle's name; and the Merkle tree in its tiles.

const ALWAYS = ["README.txt", "SHA256SUMS", "catalogue.json", "checkpoint", "findings.csv", "index.html", "period.json", "verify.py"];
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/;
const isTime = (text) => typeof text === "string" && TIME.test(text) && !Number.isNaN(Date.parse(text));
const isDigest = (text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
// After what the next page of a list of an account's own endpoint begins: null where there is none, undefined where it does not say.
function cursorOf(value) {
  if (!isObject(value) || Object.hasOwn(value, "value") || !Array.isArray(value.data) || value.has_more !== true) return null;
  const cursor = value.last_id || value.data[value.data.length - 1]?.id;
  return typeof cursor === "string" ? cursor : undefined;
}

const MAX_TILES = 16384; // kept in memory, 8 KB each: the hashes of four million records
const bodyName = (digest) => `body/sha256/${digest.slice(0, 2)}/${digest}`;

function need(good, what) {
  if (!good) throw new TypeError(what);
  return true;
}

function count(value) {
  need(Number.isSafeInteger(value) && value >= 0, "not a count");
  return value;
}

class Bundle {
  static async open(source, report) {
    const bundle = new Bundle();
    Object.assign(bundle, { source, report, sound: new Set(), named: new Set(), facts: new Map(), exhibits: new Set(), tiles: new Map() });
    const data = await bundle.needed("manifest.json", 128 * 1048576);
    bundle.identity = hex(sha256(data));
    try {
      bundle.read(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data)));
    } catch (error) {
      throw error instanceof Refused ? error : new Refused("the manifest is malformed: ask for the bundle again");
    }
    return bundle;
  }

  read(value) {
    need(isObject(value), "manifest");
    if (value.kind !== "aoai-evidence-bundle") throw new Refused("the manifest is of another kind of file: choose a bundle of aoai-evidence");
    const version = value.files.some((file) => file.path.startsWith("exhibits/")) ? 4 : 3;
    if (value.v !== version) throw new Refused(`the bundle has version ${shown(value.v)}: open the index.html that came with it`);
    this.period = [value.period.from, value.period.to];
    this.resources = value.scope.resources;
    this.origin = value.log.origin;
    this.size = count(value.log.size);
    this.software = value.software;
    this.ranges = value.ranges.map(([first, number]) => [count(first), count(number)]);
    this.files = new Map(value.files.map((file) => [file.path, { digest: file.sha256, bytes: count(file.bytes) }]));
    const paths = value.files.map((file) => file.path);
    need(paths.every((path, i) => typeof path === "string" && path !== "manifest.json" && (i === 0 || paths[i - 1] < path)), "paths");
    need([...this.files.values()].every((file) => isDigest(file.digest)), "digests");
    need(this.period.every(isTime) && this.period[0] < this.period[1] && typeof this.origin === "string", "period");
    need(this.resources === null || (this.resources.length > 0 && this.resources.every((one) => typeof one === "string")), "scope");
    let end = -1;
    for (const [first, number] of this.ranges) {
      need(first > end && number > 0, "ranges");
      end = first + number;
    }
    need(this.ranges.length > 0 && end <= this.size, "ranges");
  }

  async needed(name, limit) {
    if (!this.source.has(name)) throw new Refused(`there is no ${name}, so this is not a whole bundle: choose the file that you received`);
    try {
      return await this.whole(name, limit);
    } catch (error) {
      if (error instanceof Damaged) throw new Refused(`${name}: ${error.message}; ask for the bundle again`);
      throw error;
    }
  }

  async whole(name, limit) {
    if (this.source.size(name) > limit) throw new Damaged(`the file is larger than ${limit} bytes`);
    const parts = [];
    for await (const data of this.source.chunks(name)) parts.push(data);
    return joined(parts.length ? parts : [new Uint8Array(0)]);
  }

  async checkFiles(progress) {
    const there = this.source.names().filter((name) => name !== "manifest.json"), present = new Set(there);
    for (const name of this.files.keys()) if (!present.has(name)) this.report.problem("the manifest lists the file, and it is not there", { file: name });
    for (const name of there) if (!this.files.has(name)) this.report.problem("the file is there, and the manifest does not list it", { file: name });
    for (const name of ALWAYS) if (!present.has(name) && !this.files.has(name)) this.report.problem("every bundle has this file, and this one does not", { file: name });
    const lines = [...this.files].filter(([name]) => name !== "SHA256SUMS").map(([name, file]) => `${file.digest}  ${name}\n`).join("");
    const sums = this.files.get("SHA256SUMS");
    if (sums && sums.digest !== hex(sha256(new TextEncoder().encode(lines)))) this.report.problem("does not say the same as the manifest", { file: "SHA256SUMS" });
    let done = 0;
    for (const name of there) {
      if (this.files.has(name) && !name.startsWith("records/")) await this.checkFile(name);
      if (++done % 50 === 0) await progress("Reading files", done, there.length);
    }
  }

  async checkFile(name) {
    const isBody = name.startsWith("body/"), isTile = name.startsWith("tile/") && this.source.size(name) <= 8192, parts = [];
    for await (const data of this.content(name)) if (isBody || isTile) parts.push(data);
    if (isTile && this.tiles.size < MAX_TILES && this.sound.has(name)) this.tiles.set(name, joined(parts).slice());
    if (!isBody) return;
    this.report.counts.bodies += 1;
    if (!this.sound.has(name)) return;
    if (this.files.get(name).digest !== name.slice(-64)) {
      this.sound.delete(name);
      this.report.problem("the body is not what its name says", { file: name });
      return;
    }
    // Of a body is kept what completeness asks of it: whether it is JSON, which page it links to, what it lists.
    let value;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(joined(parts)));
    } catch {
      this.facts.set(name.slice(-64), null);
      return;
    }
    const listed = isObject(value) && Array.isArray(value.value) ? value.value.filter(isObject) : [];
    const next = isObject(value) && Array.isArray(value.value) && typeof value.nextLink === "string" ? value.nextLink : "";
    this.facts.set(name.slice(-64), { next, cursor: cursorOf(value), items: listed.map(({ id, kind, subscriptionId }) => ({ id, kind, subscriptionId })) });
  }

  // The bytes of a file, piece by piece; what does not fit the manifest is noted at the end.
  async* content(name) {
    const digest = new Sha256(), file = this.files.get(name);
    try {
      for await (const data of this.source.chunks(name)) {
        digest.update(data);
        yield data;
      }
    } catch (error) {
      if (!(error instanceof Damaged) && !(error instanceof DOMException)) throw error;
      this.report.problem(error.message, { file: name });
      return;
    }
    if (!file) return;
    if (digest.length !== file.bytes || hex(digest.digest()) !== file.digest) this.report.problem("its bytes are not those that the manifest names", { file: name });
    else {
      this.sound.add(name);
      this.report.counts.files += 1;
    }
  }

  async small(name, limit = 16 * 1048576) {
    return this.tiles.get(name) ?? (this.sound.has(name) ? this.whole(name, limit) : null);
  }

  async parsed(digest) {
    const data = isDigest(digest) ? await this.small(bodyName(digest), 256 * 1048576) : null;
    if (data === null) throw new Damaged(`the body ${digest} is missing or altered`);
    return JSON.parse(new TextDecoder().decode(data));
  }
}

// -- the Merkle tree: RFC 6962 hashes in tiles of 256 (c2sp.org/tlog-tiles) ----------------------------------------------------------

const shifted = (size, level) => Math.floor(size / 256 ** level);

function rootOf(hashes) {
  let level = hashes;
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i < level.length; i += 2) above.push(i + 1 < level.length ? sha256(NODE, level[i], level[i + 1]) : level[i]);
    level = above;
  }
  return level[0];
}

class Tree {
  constructor(bundle) {
    this.bundle = bundle;
    this.size = bundle.size;
    this.kept = new Map();
  }

  path(level, number) {
    const width = Math.min(256, shifted(this.size, level) - number * 256);
    const parts = [String(number % 1000).padStart(3, "0")];
    for (let rest = Math.floor(number / 1000); rest; rest = Math.floor(rest / 1000)) parts.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
    return `tile/${level}/${parts.join("/")}${width === 256 ? "" : `.p/${width}`}`;
  }

  async tile(level, number) {
    const path = this.path(level, number);
    if (!this.kept.has(path)) {
      const width = Math.min(256, shifted(this.size, level) - number * 256);
      const data = (width > 0 && (await this.bundle.small(path, 8192))) || new Uint8Array(0);
      if (this.kept.size > 2000) this.kept.clear();
      this.kept.set(path, data.length === 32 * width ? Array.from({ length: width }, (_, i) => data.subarray(32 * i, 32 * i + 32)) : []);
    }
    return this.kept.get(path);
  }

  // The hash over the records [start, end): a whole subtree, or the right edge of a tree.
  async hashOf(start, end) {
    const number = end - start, high = Math.floor(Math.log2(number));
    if (number !== 2 ** high) {
      const middle = start + 2 ** high;
      return sha256(NODE, await this.hashOf(start, middle), await this.hashOf(middle, end));
    }
    const level = Math.floor(high / 8), place = shifted(start, level), width = shifted(number, level);
    const hashes = (await this.tile(level, Math.floor(place / 256))).slice(place % 256, (place % 256) + width);
    if (hashes.length !== width) throw new Damaged(`${this.path(level, Math.floor(place / 256))} is missing or has the wrong length`);
    return rootOf(hashes);
  }

  async check(root) {
    const report = this.bundle.report;
    for (const name of this.bundle.source.names().filter((each) => each.startsWith("tile/"))) {
      const [, level, rest] = /^tile\/([0-9]+)\/(.*)$/.exec(name);
      const number = Number(rest.split(".p/")[0].replace(/[/x]/g, ""));
      if (shifted(this.size, Number(level)) - number * 256 <= 0 || this.path(Number(level), number) !== name) {
        report.problem(`a log of ${this.size} records has no such tile`, { file: name });
        continue;
      }
      const hashes = await this.tile(Number(level), number);
      if (!hashes.length) report.problem("the tile has the wrong length, or was altered", { file: name });
      else if (hashes.length === 256) {
        const above = (await this.tile(Number(level) + 1, Math.floor(number / 256)))[number % 256];
        if (!above || !equal(above, rootOf(hashes))) report.problem("the tile does not hash to its place in the one above it", { file: name });
      }
    }
    try {
      if (!equal(await this.hashOf(0, this.size), root)) report.problem("the tiles do not lead to the root of the checkpoint: records or tiles were altered", { file: "checkpoint" });
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      report.problem(`the tiles do not reach the root: ${error.message}`, { file: "checkpoint" });
    }
  }
}
