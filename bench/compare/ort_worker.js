// SPDX-License-Identifier: MIT
// ONNX Runtime's worker (the protocol is in worker.h), on the files that torch_worker.py writes.
// Usage: node ort_worker.js THREADS | cold MODEL.onnx; NODE_PATH is the folder that holds onnxruntime-node.
const ort = require('onnxruntime-node');

function pattern(shape) {
  const values = new Float32Array(shape.reduce((a, b) => a * b));
  for (let i = 0; i < values.length; i++) values[i] = i * 37 % 101 / 64 - 0.75;
  return new ort.Tensor('float32', values, shape);
}

const images = (batch, channels, size) => pattern([batch, channels, size, size].map(Number));

function open(file, threads) {
  return ort.InferenceSession.create(file,
    {intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all'});
}

const firstValues = result => Array.from(result.y.data.slice(0, 8));

async function prepare(work, threads) {
  const [kind, ...rest] = work.split('/');
  if (kind === 'infer') {
    const [name, batch, channels, size] = rest;
    return {session: await open(`${name}.onnx`, threads), x: images(batch, channels, size)};
  }
  if (kind === 'conv_forward') {
    const [batch, channels, size] = rest;
    return {session: await open(work.replaceAll('/', '_') + '.onnx', threads), x: images(batch, channels, size)};
  }
  return null;
}

function nowMicroseconds() {
  if (!process.env.TEFF_COMPARE_CLOCK) return Number(process.hrtime.bigint()) / 1e3;
  const used = process.cpuUsage();
  return used.user + used.system;
}

async function timeRuns({session, x}, repetitions) {
  for (let i = 0; i < 1 + repetitions / 10; i++) await session.run({x});
  const times = [];
  for (let i = 0; i < repetitions; i++) {
    const start = nowMicroseconds();
    await session.run({x});
    times.push(nowMicroseconds() - start);
  }
  return times;
}

async function serve(threads) {
  const answer = value => console.log(JSON.stringify(value));
  answer({version: require('onnxruntime-node/package.json').version});
  let current, prepared, first;
  for await (const line of require('readline').createInterface({input: process.stdin})) {
    const [, work, repetitions] = line.split(' ');
    try {
      if (work !== current) {
        current = undefined;
        prepared = await prepare(work, threads);
        if (!prepared) {
          answer({skip: true});
          continue;
        }
        first = firstValues(await prepared.session.run({x: prepared.x}));
        current = work;
      }
      answer({times: await timeRuns(prepared, Number(repetitions)), first});
    } catch (error) {
      answer({error: String(error)});
    }
  }
}

async function coldStart(file) {
  const session = await open(file, 1);
  console.log(JSON.stringify({first: firstValues(await session.run({x: pattern([1, 3, 32, 32])}))}));
}

if (process.argv[2] === 'cold') coldStart(process.argv[3]); else serve(Number(process.argv[2]));
