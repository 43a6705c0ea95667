// All of it, in order. `progress(what, done, total)` is awaited now and then, so that the page stays alive.

async function verify(source, keys, report, progress) {
  await selfTest();
  const bundle = await Bundle.open(source, report);
  const data = await bundle.needed("checkpoint", 1000000), checkpoint = parseNote(data);
  if (checkpoint.origin !== bundle.origin || checkpoint.size !== bundle.size) report.problem("the manifest names another log, or another size, than the checkpoint", { file: "manifest.json" });
  const signed = keys.length ? await signedBy(checkpoint, keys) : false;
  await bundle.checkFiles(progress);
  const tree = new Tree(bundle), examiner = new Examiner(bundle);
  await tree.check(checkpoint.root);
  for (const [first, number] of bundle.ranges) await readRun(bundle, tree, examiner, first, number, progress);
  examiner.finish();
  try {
    checkWaivers(examiner.waivers, report);
    checkExhibits(bundle, examiner.acts);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    report.problem("what was waived, or filed as exhibits, has not the shape that it should have");
  }
  try {
    checkApprovals(report, examiner.approvals);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    report.problem("an approval of a baseline has not the shape that it should have");
  }
  await checkEarlier(bundle, tree, checkpoint);
  for (const [index, sweep] of examiner.closings) await checkProof(bundle, tree, sweep, index, data);
  const runs = new Set(bundle.ranges.map(([first]) => runName(first)));
  for (const name of source.names()) {
    const stray = (name.startsWith("records/") && !runs.has(name)) || (name.startsWith("body/") && !bundle.named.has(name.slice(-64)));
    if (stray || (name.startsWith("exhibits/") && !bundle.exhibits.has(name))) report.problem("nothing in the bundle accounts for the file", { file: name });
  }
  await progress("Reading the file once more, byte by byte", 1, 1);
  await source.finish(report);
  say(report, bundle, examiner, signed);
  return { bundle, checkpoint, signed, examiner };
}

const runName = (first) => `records/${String(first).padStart(20, "0")}.jsonl`;

// Read the records of a run, prove each by its leaf hash, and hand it on.
async function readRun(bundle, tree, examiner, first, number, progress) {
  const { report } = bundle, name = runName(first), decoder = new TextDecoder("utf-8", { fatal: true });
  if (!bundle.source.has(name)) return; // that it is missing was said
  let index = first, altered = -2, at = -1, leaves = [], rest = new Uint8Array(0), told = performance.now();
  // Takes in a line; gives a promise only where something must be read first: most lines come without a pause.
  const take = (line) => {
    if (index < first + number && Math.floor(index / 256) !== at) return enter(line);
    return prove(line);
  };
  const enter = async (line) => {
    at = Math.floor(index / 256);
    leaves = await tree.tile(0, at);
    if (!leaves.length) report.problem("there is no tile to prove the records from here on with", { record: index });
    await prove(line);
  };
  const prove = (line) => {
    let later;
    if (index < first + number) {
      if (leaves.length && !equal(sha256(LEAF, line), leaves[index % 256])) {
        if (altered !== index - 1) report.problem("the record is not what was sealed", { record: index });
        altered = index;
      } else if (leaves.length) {
        report.counts.records += 1;
        let text = null;
        try {
          text = decoder.decode(line);
        } catch {
          report.problem("is not UTF-8", { record: index });
        }
        later = text === null ? undefined : examiner.take(index, text);
      }
    }
    index += 1;
    return later;
  };
  for await (const data of bundle.content(name)) {
    let start = 0;
    for (let end = data.indexOf(10); end >= 0; start = end + 1, end = data.indexOf(10, start)) {
      let line = data.subarray(start, end);
      if (rest.length) {
        [line, rest] = [joined([rest, line]), new Uint8Array(0)];
      }
      const later = take(line);
      if (later) await later;
    }
    rest = joined([rest, data.subarray(start)]);
    if (rest.length > 65535) {
      report.problem("holds a line of more than 65535 bytes", { file: name });
      rest = new Uint8Array(0);
    }
    if (performance.now() - told > 100) {
      await progress("Proving records", index - first, number);
      told = performance.now();
    }
  }
  if (rest.length) report.problem("the last line has no end", { file: name });
  if (index !== first + number) report.problem(`holds ${index - first} records, and the manifest says ${number}`, { file: name });
}

// Earlier checkpoints in the bundle must have the roots that this log had then. Who signed them is not looked at.
async function checkEarlier(bundle, tree, newest) {
  for (const name of bundle.source.names().filter((each) => /^checkpoints\/[0-9]{20}$|^keys\//.test(each))) {
    try {
      const size = Number(/[0-9]{20}/.exec(name)[0]), earlier = parseNote((await bundle.small(name, 1000000)) ?? new Uint8Array(0));
      const good = earlier.origin === newest.origin && earlier.size === size && size > 0 && size < newest.size && equal(await tree.hashOf(0, size), earlier.root);
      if (!good) throw new Damaged("the checkpoint does not have the root of the records before it: it is of another log");
    } catch (error) {
      if (!(error instanceof Damaged) && !(error instanceof Refused)) throw error;
      bundle.report.problem(error.message, { file: name });
    }
  }
}

// No act about a waiver is missing. Those of old say no number: theirs are the first that are free.
function checkWaivers(acts, report) {
  const said = acts.filter(([, each]) => each.number !== undefined), old = acts.length - said.length;
  const numbers = new Map(said.map(([index, each]) => [count(each.number), index]));
  const free = acts.map((_, at) => at + 1).filter((number) => !numbers.has(number)).slice(0, old);
  const given = new Set([...numbers.keys(), ...free]);
  if (given.size !== acts.length || [...given].some((number) => number < 1 || number > acts.length)) {
    report.problem("an act about a waiver is not here, though a later one is, or is here twice", { record: Math.max(...numbers.values()) });
  }
}

// No act about an exhibit is missing, and each file that was filed, is kept and is about the period is here and is that file.
function checkExhibits(bundle, acts) {
  const { report, period: [start, end] } = bundle, numbers = new Map(acts.map(([index, said]) => [count(said.number), index]));
  if (numbers.size !== acts.length || [...numbers.keys()].some((number) => number < 1 || number > numbers.size)) {
    report.problem("an act about an exhibit is not here, though a later one is, or is here twice", { record: Math.max(...numbers.values()) });
  }
  const gone = new Set(acts.filter(([, said]) => said.action === "withdraw").map(([, said]) => said.exhibit));
  for (const [index, said] of acts) {
    if (said.action !== "add" || gone.has(said.number)) continue;
    const { covers, file } = said, name = `exhibits/${String(said.number).padStart(6, "0")}-${file.name}`;
    const ends = [said.expires ?? covers.to, covers.to ?? ""].sort(byCodePoint);
    need(isTime(covers.from) && isTime(ends[1]) && isDigest(file.sha256), "exhibit");
    if (!(covers.from < end && start < ends[1])) continue;
    if (!file.kept) {
      report.unchecked.push(`exhibit ${said.number} against its file, which is not in the evidence: the document must have the SHA-256 ${file.sha256}`);
      continue;
    }
    bundle.exhibits.add(name);
    const there = bundle.files.get(name);
    if (!there) report.problem(`the file of exhibit ${said.number} is not in the bundle`, { record: index });
    else if (there.digest !== file.sha256 || there.bytes !== file.bytes) report.problem(`the file is not the one that was filed as exhibit ${said.number}`, { record: index, file: name });
    else report.counts.exhibits = (report.counts.exhibits ?? 0) + 1;
  }
}

// No approval of a baseline is missing, and each is of records before it.
function checkApprovals(report, approvals) {
  const numbers = new Map(approvals.map(([index, said]) => [count(said.number), index]));
  if (numbers.size !== approvals.length || [...numbers.keys()].some((number) => number < 1 || number > numbers.size)) {
    report.problem("an approval of a baseline is not here, though a later one is, or is here twice", { record: Math.max(...numbers.values()) });
  }
  for (const [index, said] of approvals) {
    if (!(count(said.from) < count(said.size) && said.size <= index)) report.problem("approves what was not all sealed before it", { record: index });
  }
}

async function checkProof(bundle, tree, sweep, index, signed) {
  const name = `proofs/${sweep}.tlog-proof`;
  if (!bundle.source.has(name)) bundle.report.problem(`the proof of the closing record of sweep ${sweep} is missing`, { record: index });
  const data = await bundle.small(name);
  if (data === null) return;
  try {
    if (!equal(data, await proofOf(tree, index, signed))) bundle.report.problem("is not the proof of the sweep's closing record", { file: name });
  } catch (error) {
    if (!(error instanceof Damaged)) throw error; // a tile is missing: said where the record was read
  }
}

// What was checked and what was not: an answer without the second is worth nothing.
function say(report, bundle, examiner, signed) {
  const { counts } = report, has = (folder) => bundle.source.names().some((name) => name.startsWith(folder));
  report.checked.unshift(
    `${many(counts.files + 1, "file")} ${counts.files ? "are" : "is"} what the manifest says`,
    `${many(counts.records, "record")} of the ${bundle.size.toLocaleString("en")} in the log hash to the root of the checkpoint`,
    `${many(counts.bodies, "body").replace("bodys", "bodies")} of Azure's answers are what their names say`,
    `${many(counts.sweeps, "sweep")}: each planned question has its answer, each answer all its pages`,
  );
  if (signed) report.checked.push("the checkpoint is signed by the key that you gave");
  if (signed === null) report.unchecked.push("the signature of the checkpoint: this browser cannot check keys of this sort; use verify.py, or a newer browser");
  if (signed === false) report.unchecked.push("the signature of the checkpoint: no key was given, so nothing says who made this bundle");
  if (counts.exhibits) report.checked.push(`${many(counts.exhibits, "file")} of exhibits ${counts.exhibits === 1 ? "has the digest that was" : "have the digests that were"} sealed when filed`);
  if (examiner.acts.length) report.unchecked.push("whether exhibits are genuine, and say what they were filed for: what is sealed is that somebody filed documents with these digests");
  if (has("checkpoints/")) report.unchecked.push("timestamps and cosignatures in checkpoints/: aoai-evidence verify checks them");
  if (has("keys/")) report.unchecked.push("that each change of the signing keys was signed by the old ones: aoai-evidence verify checks it");
  for (const [type, number] of [...examiner.strangers].slice(0, 20)) report.unchecked.push(`what ${many(number, "record")} of type ${shown(type)} say: counted and proven, not interpreted here`);
  if (examiner.followed) report.unchecked.push("that each member of a list, and each workspace with logs, was asked what was planned, and for the right times");
  if (bundle.resources !== null) report.unchecked.push("records about other resources than those asked for: they are in the log and not in this bundle");
  if (examiner.uncounted) report.unchecked.push("whether a deletion was left out that was concluded with a subscription's answers: closing records of an older version do not count them");
  report.unchecked.push(
    "that the log extends an earlier state of it: verify.py and aoai-evidence verify do so with --checkpoint",
    "that the findings, and what was said of changes, deletions and who made them, follow from the answers: aoai-evidence verify judges again",
    "that findings.csv, period.json, sample/, certificate/, by-control/, README.txt, catalogue.json and this page follow from the rest: aoai-evidence verify derives them again",
    "personal values in disclosures.json, and the fine print of each record's form: aoai-evidence verify checks them",
    "whether Azure's answers were true, and whether the identity could see everything: nothing after the fact can show that",
  );
}
