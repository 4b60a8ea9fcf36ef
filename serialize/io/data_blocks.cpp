// SPDX-License-Identifier: MIT
#include "teff/serialize/io/data_blocks.h"

#include <algorithm>

#include "teff/engine/parallel.h"
#include "teff/serialize/io/crc32.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kTaskBytes = 4 * 1024 * 1024;
constexpr std::size_t kChunkBytes = 256 * 1024;  // its checksum is computed while it is in the core's cache

/// A part of a block that one task reads.
struct Task {
  std::size_t block;
  std::size_t begin;
  std::size_t bytes;
};

std::vector<Task> tasks_for(std::span<const DataBlock> blocks) {
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::size_t size = blocks[i].memory.size();
    for (std::size_t begin = 0; begin < size; begin += kTaskBytes) {
      tasks.push_back({i, begin, std::min(kTaskBytes, size - begin)});
    }
  }
  return tasks;
}

std::uint32_t run(const ByteSource& source, const DataBlock& block, const Task& task, bool checksums) {
  std::uint32_t checksum = 0;
  for (std::size_t begin = 0; begin < task.bytes; begin += kChunkBytes) {
    const auto chunk = block.memory.subspan(task.begin + begin, std::min(kChunkBytes, task.bytes - begin));
    if (!block.is_mapped) source.read(chunk, block.offset + task.begin + begin);
    if (checksums) checksum = crc32(chunk, checksum);
  }
  return checksum;
}

}  // namespace

std::vector<std::uint32_t> read_blocks(const ByteSource& source, std::span<const DataBlock> blocks, bool checksums) {
  const std::vector<Task> tasks = tasks_for(blocks);
  std::vector<std::uint32_t> of_tasks(tasks.size());
  parallel_for(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t i) {
    const Task& task = tasks[static_cast<std::size_t>(i)];
    of_tasks[static_cast<std::size_t>(i)] = run(source, blocks[task.block], task, checksums);
  });
  if (!checksums) return {};
  std::vector<std::uint32_t> of_blocks(blocks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    std::uint32_t& sum = of_blocks[tasks[i].block];
    sum = tasks[i].begin == 0 ? of_tasks[i] : crc32_combine(sum, of_tasks[i], tasks[i].bytes);
  }
  return of_blocks;
}

}  // namespace teff::serialize
