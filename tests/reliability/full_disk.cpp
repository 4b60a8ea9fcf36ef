// SPDX-License-Identifier: MIT

// Saves ever larger files to a small file system until it is full, and beyond. Usage: teff_reliability_full_disk FOLDER

#include "reliability/files.h"
#include "reliability/report.h"

using namespace teff;
using namespace teff::reliability;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  set_num_threads(1);
  const std::string path = std::string(argv[1]) + "/model.teff";
  long refused = 0, saves = 0;
  Dict last = version(0, 100);
  save(last, path);
  for (std::int64_t size = 1000; size < 200'000; size += 1000) {
    const std::string old_bytes = read_file(path);
    const Dict next = version(static_cast<double>(size), size);
    ++saves;
    try {
      save(next, path);
      last = next;
    } catch (const IoError& error) {
      ++refused;
      check(std::string(error.what()).find("No space left on device") != std::string::npos, error.what());
      check(read_file(path) == old_bytes, "R6: the old file on a full disk");
    }
    check(count_files(argv[1]) == 1, "R6: no temporary file on a full disk");
    check(load(path) == last, "R6: the old or the new file on a full disk");
  }
  check(refused > 0 && refused < saves, "R6: the disk gets full");
  report("R6", "a file system that is really full",
         std::to_string(refused) + " of " + std::to_string(saves) + " saves found no space: error, old file");
  return failures == 0 ? 0 : 1;
}
