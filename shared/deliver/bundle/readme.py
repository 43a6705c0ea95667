"""The words of README.txt. Whoever opens a bundle reads this first, and has no access to Azure, to us or to any documentation."""

TEMPLATE = """\
EVIDENCE ABOUT AZURE OPENAI RESOURCES

This zip holds what Azure's management interface answered about Azure OpenAI resources, when, and
what was concluded from it. It was made for somebody who has no access to those resources and need
not trust whoever made it: everything in it can be checked offline, with a program whose source
you can read, and a key that you were given by another way than this file.

  Log             {origin}
  Records         {records} of the {size} that the log had when this was made
  Period          from {start} until before {end}
  Scope           {scope}
  Framework       {framework} (findings.csv only; records are never left out by framework)
  Catalogue       {catalogue}
  Made by         aoai-evidence {software}


HOW TO CHECK IT

With nothing but a browser: open index.html from the folder that you unpacked this zip to (it
needs no network, and sends nothing), drop FILE.zip on it, paste VKEY.

With nothing but Python (3.9 or later; any computer has it or can have it, no packages needed):

  python3 verify.py FILE.zip --key VKEY

verify.py is one file that you can read; it lies in this zip. Whoever could change this zip could
change it too, so if you doubt the sender take verify.py from the release of aoai-evidence
{software} instead and compare the two: they must be the same, byte for byte. It checks that every
record and answer is what was sealed, who signed that, and that nothing due is missing. It does
not judge again. To have the findings judged again from the answers as well:

  1.  install aoai-evidence {software} (Python 3.11 or later; its README.md says how)
  2.  aoai-evidence verify FILE.zip --key VKEY

With neither, in the folder that you unpacked this zip to:

  sha256sum -c SHA256SUMS       shows that no file was damaged on its way; not who made them

VKEY is one line, NAME+8 HEX DIGITS+LETTERS. Get it from the keeper of the log by telephone, on
paper, or from where he publishes it; never from the sender of this file together with the file.
If you keep the file `checkpoint` of this bundle and give it next time with --checkpoint, the
program also shows that nothing was rewritten or cut off in between.

Either program ends with one of these:
  exit code 0   intact and complete
  exit code 1   not intact: something was changed, cut off or concluded otherwise than the answers
                say. Every place is named
  exit code 3   intact, but incomplete: something could not be collected, or a sweep that was due
                is missing. Each is named
  exit code 2   nothing can be said: the command was not understood, or no key was given


WHAT IS CHECKED (the last two by aoai-evidence alone)

  - every record and every body is, byte for byte, what was sealed; the checkpoint over them is
    signed by the key you gave
  - nothing is missing between the first and the last sweep of the period, and every slot of the
    declared schedule has its sweep
  - every account that Azure named was asked every planned question, every page of every answer is
    here; what failed says why
  - every finding follows from the bodies: it is judged again and compared, with the catalogue it
    names
  - README.txt, findings.csv, period.json, catalogue.json, SHA256SUMS, by-control/, index.html and
    verify.py are what they must be, given the rest


WHAT NO PROGRAM CAN CHECK AFTERWARDS

  - that Azure's answers were true, or that the reader's identity was allowed to see every
    subscription
  - that the keeper of the key did not keep a second log, unless you or others hold checkpoints of
    this one
  - promises of the provider that nobody outside can observe: these findings say
    "provider-attested" and need other evidence


HOW TO SEE A VALUE AGAIN, with access to Azure

  az cognitiveservices account show -n NAME -g GROUP

prints the account as the records of kind "account" hold it. In its `capabilities`, the entry

  {{"name": "ContentLogging", "value": "false"}}

says that storage of prompts for abuse monitoring is off for that account; the entry is absent
while it is not. In the Azure portal: open the resource, Overview, "JSON View".


WHAT IS IN THE ZIP

  manifest.json                 what this bundle is about, and the SHA-256 of every other file.
                                The SHA-256 of manifest.json names the bundle
  checkpoint                    size and root hash of the log, signed
{handovers}  records/N.jsonl               records from number N on, one a line
  body/sha256/aa/DIGEST         what Azure sent, named by its SHA-256; names of people replaced by
                                commitments
  tile/                         hashes of the Merkle tree that connect records and checkpoint
                                (c2sp.org/tlog-tiles)
  proofs/SWEEP.tlog-proof       the same for each sweep's closing record, in one file
                                (c2sp.org/tlog-proof)
{attested}{certified}{exhibits}  findings.csv                  the findings as a table, one a line
  by-control/                   the same in folders, by framework and criterion: in each a table of
                                each control that supports it, by resource and time, with a line for
                                as long as a conclusion stayed the same and the records it rests on.
                                The name of a table is what is asked, not the answer. Begin with
                                index.csv of your framework
  index.html                    checks all this in a browser, as said above
  verify.py                     checks all this without packages, as said above
  SHA256SUMS                    the SHA-256 of every file but manifest.json, for sha256sum -c
  period.json                   for how much of the period each control of each resource was
                                evidenced, when it was satisfied and when not, what existed when
  catalogue.json                what is judged, and which criteria that supports
  disclosures.json              values behind commitments, where you were allowed to see them


WORDS

  record        one entry of the log; its number is its place
  observation   one answer of Azure; its `pages` name the bodies
  failure       a question without an answer, and why
  sweep         one complete pass over the scope; it belongs to a slot of the schedule
  finding       what a control came to for one resource in one sweep: satisfied, not-satisfied,
                not-applicable, unknown, provider-attested
  change        a difference between two consecutive answers
  checkpoint    the signed state of the log: whoever holds one can tell if anything before it is
                changed
  commitment    stands for a personal value; whoever is given value and salt can check that it is
                the one
"""

ATTESTED = """\
  checkpoints/                  earlier checkpoints, and what others say of them: SIZE.NAME.tsr are
                                timestamps (RFC 3161), SIZE.NAME.cosig cosignatures of witnesses
                                (c2sp.org/tlog-cosignature). To check them too, give verify the
                                root certificates of the authorities with --tsa-roots, and the
                                witnesses' keys with --witness; have them from their own places
"""

EXHIBITS = """\
  exhibits/NUMBER-NAME          documents that the keeper of the log filed because they speak to what
                                only the provider can observe, byte for byte as they were filed. That
                                they are genuine nobody here says: ask whoever issued them
"""

HANDOVERS = """\
  keys/N.checkpoint             where the signing key was changed: signed by the old and by the new
                                one, so that whoever holds an old key is led to the new one
"""

CERTIFIED = """\
  certificate/                  what is known of the end of one object, that somebody asked for:
                                request.json says what was asked, certificate.html is a page to read
                                and to print, which follows from the records
"""
