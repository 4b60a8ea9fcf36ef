// SPDX-License-Identifier: MIT
#include "serialize/file_fixture.h"
#include "serialize/torch/zip_fixture.h"
#include "support/temp_file.h"
#include "teff/serialize/file.h"

using namespace teff;
using namespace teff::testing;

namespace {

using namespace std::string_literals;

/// What a file of these bytes is said to be. It is not supported, and not damaged.
std::string what_is(const std::string& bytes) {
  const std::string error = error_of<UnsupportedError>([&] { load_bytes(bytes); });
  const std::string expected = "load: memory: expected a .teff, PyTorch, safetensors, NumPy or ONNX file, got ";
  REQUIRE(error.starts_with(expected));
  CHECK(error_of<UnsupportedError>([&] { File{std::as_bytes(std::span(bytes))}; }) ==
        "File" + error.substr(std::string("load").size()));
  return error.substr(expected.size());
}

const std::string kRest(600, 'x');

std::string tar_of(const std::string& first) {
  return (first + std::string(257 - first.size(), '\0') + "ustar" + kRest + kRest).substr(0, 1024);
}

}  // namespace

TEST_CASE("files of others are named, with what helps") {
  CHECK(what_is("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 46830571\n") ==
        "a Git LFS pointer, which stands for the file: run git lfs pull to get the file itself");
  CHECK(what_is("\x1f\x8b\x08" + kRest) == "a file compressed with gzip: unpack it with gunzip");
  CHECK(what_is("BZh91AY" + kRest) == "a file compressed with bzip2: unpack it with bunzip2");
  CHECK(what_is("\xfd"
                "7zXZ\0"s +
                kRest) == "a file compressed with xz: unpack it with unxz");
  CHECK(what_is("\x28\xb5\x2f\xfd" + kRest) == "a file compressed with zstd: unpack it with unzstd");
  CHECK(what_is("\x89HDF\r\n\x1a\n" + kRest) ==
        "an HDF5 file, as Keras writes them (.h5): load it there and save the weights as .npz or .safetensors");
  CHECK(contains(what_is("GGUF\3\0\0\0"s), "a GGUF model of llama.cpp"));
  CHECK(contains(what_is("tjgg" + kRest), "a GGML model"));
  CHECK(contains(what_is("\x1c\0\0\0TFL3"s + kRest), "a TensorFlow Lite model"));
  CHECK(contains(what_is("\4\0\0\0\1\0\0\0\3\0\0\0V 1"s + kRest), "a file of Torch 7 (.t7)"));
  CHECK(contains(what_is("7767517\n75 83\n"), "a network of ncnn (.param)"));
  CHECK(contains(what_is("\x47\x6b\x30\x01" + kRest), "weights of ncnn (.bin)"));
  CHECK(contains(what_is("\x08\x01\x12\x10" + kRest), "a SavedModel of TensorFlow"));
  CHECK(contains(what_is("\x0a\x05LeNet\xa2\x06\x2a" + kRest), "a model of Caffe"));
  CHECK(contains(what_is("\x12\x01\0\0\0\0\0\0"s + kRest), "parameters of MXNet"));
  CHECK(what_is("\xff\xd8\xff\xe0" + kRest) == "a JPEG image");
  CHECK(what_is("\x89PNG\r\n\x1a\n" + kRest) == "a PNG image");
  CHECK(what_is("%PDF-1.4" + kRest) == "a PDF document");
}

TEST_CASE("text is told by what it is") {
  const std::string page = "an HTML page, as servers send instead of a file: download the file itself";
  CHECK(what_is("<!DOCTYPE html><html>" + kRest) == page);
  CHECK(what_is("\xef\xbb\xbf\n  <HTML>") == page);
  CHECK(what_is("<?xml version='1.0'?>\n<!DOCTYPE html>") == page);
  CHECK(contains(what_is("<?xml version='1.0'?><Error><Code>AccessDenied"), "an XML file"));
  CHECK(what_is(R"({"metadata": {"total_size": 1}, "weight_map": {"a": "model-00001-of-00002.safetensors"}})") ==
        "the index (JSON) of a model in several files: load each of the .safetensors or .bin files that it names");
  CHECK(what_is("{\"a\": 1}") == "a JSON file, which holds no tensors");
  CHECK(what_is("[1, 2]") == "a JSON file, which holds no tensors");
  CHECK(what_is("[PAD]\n[UNK]\n") == "a text file that begins with \"[PAD]\"");
  CHECK(what_is("\xff\xfeh\0i\0"s) == "a text file in UTF-16");
  CHECK(what_is("hello, \xe2\x82\xac\nworld") == "a text file that begins with \"hello, \xe2\x82\xac\"");
  CHECK(what_is("say \"\xe2\x80\xae\"") == R"(a text file that begins with "say \x22\xe2\x80\xae\x22")");
}

TEST_CASE("pickles of others are not run, and said to be none of torch.save") {
  const std::string pickle = "a pickle that torch.save did not write, of which nothing was run: ";
  CHECK(what_is("\x80\x02}q\0."s).starts_with(pickle));
  CHECK(what_is("\x80\x04\x95\x1a\0\0\0\0\0\0\0}\x94."s).starts_with(pickle));
  CHECK(what_is("cos\nsystem\n(S'ls'\ntR.").starts_with(pickle));
  CHECK(what_is("(dp0\nS'a'\np1\nI1\ns.").starts_with(pickle));
}

TEST_CASE("archives are named with what is in them") {
  CHECK(what_is(tar_of("model_config.yaml")) ==
        "a tar archive, whose first file is model_config.yaml: unpack it with tar xf");
  const std::string head = tar_of("././@PaxHeader");
  CHECK(what_is((head + tar_of("./a.ckpt")).substr(0, 1800)) ==
        "a tar archive, whose first file is a.ckpt: unpack it with tar xf");
  CHECK(contains(refusal(head + tar_of("sys_info")), "it is a tar file, as PyTorch wrote before 0.1.10"));
  CHECK(contains(refusal(tar_of("sys_info")), "it is a tar file, as PyTorch wrote before 0.1.10"));
  CHECK(what_is(zip_of({{"data", "{}"}, {"policy.pth", "x"}, {"policy.optimizer.pth", "x"}})) ==
        "a zip that holds other files: unpack it and load policy.pth, policy.optimizer.pth");
  CHECK(what_is(zip_of({{"MAR-INF/MANIFEST.json", "{}"}, {"net.pt", "x"}, {"handler.py", ""}})) ==
        "a model archive of TorchServe (.mar): unpack it and load net.pt");
  CHECK(contains(what_is(zip_of({{"y/x/archive_format", "pt2"}, {"y/z", "x"}})),
                 "a program of torch.export (.pt2) that was packed again within another folder"));
  CHECK(contains(what_is(zip_of({{"metadata.json", ""}, {"config.json", ""}, {"model.weights.h5", "x"}})),
                 "a model of Keras (.keras)"));
  CHECK(what_is(zip_of({{"data.pkl", "x"}, {"data/0", "abcd"}, {"version", "3"}})) ==
        "a zip of torch.save that was packed again without its folder: unpack it into a folder, and pack that folder "
        "with zip -0 -r");
  CHECK(contains(what_is(zip_of({{"y/x/data.pkl", "x"}, {"y/x/version", "3"}})),
                 "a zip of torch.save that was packed again within another folder: unpack it"));
  CHECK(what_is(zip_of({{"a/1.txt", ""}, {"a/2.txt", ""}, {"a/3.txt", ""}, {"a/4.txt", ""}, {"a/5\x1b.txt", ""}})) ==
        "a zip that holds a/1.txt, a/2.txt, a/3.txt, a/4.txt and 1 other file: torch.save did not write it");
  CHECK(what_is("PK\x05\x06" + std::string(18, '\0')) == "an empty zip file");
}

TEST_CASE("what nobody knows is shown by its first bytes, and an empty file is damaged") {
  CHECK(what_is("\x01\x02\x03\xff\xfe\xfd\xfc\xfb\xfa") == "one whose first bytes are 01 02 03 ff fe fd fc fb");
  CHECK(what_is(std::string(700, '\0')) == "zeros: a download that was not completed, or a damaged disk");
  CHECK(refusal("") == "load: x.teff: the file is empty");
}

TEST_CASE("a file that claims to be .teff is one, and damaged") {
  const std::string good = saved({{"a", 1}});
  for (std::size_t i = 0; i < 10; ++i) {
    std::string bad = good;
    bad[i] ^= 0x20;
    CAPTURE(i);
    CHECK(
        contains(refusal(bad), "load: x.teff: damaged: expected the first bytes 89 54 45 46 46 0d 0a 1a 0a 00, got "));
    CHECK(contains(refusal(good.substr(0, i + 1)), i < 9 ? "load: x.teff: damaged: " : "load: x.teff: preamble: "));
  }
}

TEST_CASE("the error of a stranger is one of the file's kind") {
  const std::string bytes = "hello";
  CHECK_THROWS_AS(load_bytes(bytes), FormatError);
  CHECK_THROWS_AS(load_model(std::as_bytes(std::span(bytes))), UnsupportedError);
}
