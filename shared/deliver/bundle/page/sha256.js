// SHA-256, piece by piece: WebCrypto can only hash what is in memory at once, and the records of a period may be a gigabyte.
// `selfTest` compares it with WebCrypto before anything is believed.

const ROUNDS = new Int32Array(64);
{
  // The first 32 bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
  let found = 0;
  for (let n = 2; found < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) prime = prime && n % d !== 0;
    if (prime) ROUNDS[found++] = (Math.cbrt(n) % 1) * 4294967296;
  }
}
const START = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
const WORDS = new Int32Array(64);

class Sha256 {
  constructor() {
    this.block = new Uint8Array(64);
    this.state = new Int32Array(8);
    this.reset();
  }

  reset() {
    this.state.set(START);
    this.filled = 0;
    this.length = 0;
    return this;
  }

  update(data) {
    let position = 0;
    this.length += data.length;
    if (this.filled) {
      const taken = Math.min(64 - this.filled, data.length);
      this.block.set(data.subarray(0, taken), this.filled);
      this.filled += taken;
      position = taken;
      if (this.filled === 64) {
        this.compress(this.block, 0);
        this.filled = 0;
      }
    }
    for (; position + 64 <= data.length; position += 64) this.compress(data, position);
    if (position < data.length) {
      this.block.set(data.subarray(position), 0);
      this.filled = data.length - position;
    }
    return this;
  }

  digest() {
    const high = Math.floor(this.length / 536870912), low = (this.length << 3) >>> 0;
    const block = this.block;
    block[this.filled++] = 0x80;
    if (this.filled > 56) {
      block.fill(0, this.filled);
      this.compress(block, 0);
      this.filled = 0;
    }
    block.fill(0, this.filled, 56);
    for (let i = 0; i < 4; i += 1) {
      block[56 + i] = high >>> (24 - 8 * i);
      block[60 + i] = low >>> (24 - 8 * i);
    }
    this.compress(block, 0);
    const out = new Uint8Array(32);
    for (let i = 0; i < 32; i += 1) out[i] = this.state[i >> 2] >>> (24 - 8 * (i & 3));
    return out;
  }

  compress(data, at) {
    const w = WORDS, k = ROUNDS, state = this.state;
    for (let i = 0; i < 16; i += 1, at += 4) w[i] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15], y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + (g ^ (e & (f ^ g))) + k[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) | (c & (a | b)))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] = (state[0] + a) | 0; state[1] = (state[1] + b) | 0; state[2] = (state[2] + c) | 0; state[3] = (state[3] + d) | 0;
    state[4] = (state[4] + e) | 0; state[5] = (state[5] + f) | 0; state[6] = (state[6] + g) | 0; state[7] = (state[7] + h) | 0;
  }
}

const LEAF = Uint8Array.of(0), NODE = Uint8Array.of(1), HASHER = new Sha256();
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

function sha256(...parts) {
  HASHER.reset();
  for (const part of parts) HASHER.update(part);
  return HASHER.digest();
}

function hex(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

function equal(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

async function selfTest() {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const data = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
    const expected = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    const pieces = new Sha256().update(data.subarray(0, length >> 1)).update(data.subarray(length >> 1)).digest();
    if (!equal(expected, sha256(data)) || !equal(expected, pieces)) throw new Refused("this browser computes SHA-256 wrongly: use another one");
  }
}
