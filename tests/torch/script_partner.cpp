// SPDX-License-Identifier: MIT

// What test_torchscript.py talks to: networks of TorchScript archives on tensors from a file.
//   script_partner run SCRIPT GIVEN ANSWER     outputs for the inputs, whose types are told
//   script_partner guess SCRIPT GIVEN ANSWER   the same, types not told
//   script_partner train SCRIPT GIVEN ANSWER   the losses of ten SGD steps
//   script_partner serve                       does such lines of the standard input, words with tabs between them,
//                                              and says "ok" or what is wrong, a line each
// GIVEN has "inputs". Where it has "more", lists of inputs of other sizes, ANSWER has outputs or a text for each. Where
// it has "gradients", ANSWER has the derivatives of the sum of all outputs, the i-th number of each times cos(i), for
// the inputs that may have some.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

#include <teff/teff.h>

namespace {

using namespace teff;
using Tensors = std::vector<Tensor>;

Tensors tensors_of(const Value& list) {
  Tensors tensors;
  for (const Value& item : list.as_list()) tensors.push_back(item.as_tensor());
  return tensors;
}

List list_of(const Tensors& tensors) { return {tensors.begin(), tensors.end()}; }

List outputs_of(nn::GraphModule& net, const Tensors& inputs) {
  const NoGradGuard no_grad;
  return list_of(net(inputs));
}

Value outputs_or_refusal(nn::GraphModule& net, const Tensors& inputs) {
  try {
    return outputs_of(net, inputs);
  } catch (const Error& error) {
    return std::string(error.what());
  }
}

/// Undefined tensors, where no gradient comes, are None.
List gradients_of(nn::GraphModule& net, const Tensors& inputs) {
  Tensors leaves;
  for (const Tensor& input : inputs) {
    leaves.push_back(input.clone());
    if (is_computable(input.dtype())) leaves.back().requires_grad_();
  }
  Tensor loss;
  for (const Tensor& output : net(leaves)) {
    if (!output.requires_grad()) continue;
    const Tensor weights = cos(arange(output.numel()).to(DType::float64)).to(output.dtype()).view(output.shape());
    const Tensor part = sum(output * weights).to(DType::float64);
    loss = loss.defined() ? loss + part : part;
  }
  if (loss.defined()) loss.backward();
  List gradients;
  for (const Tensor& leaf : leaves) gradients.push_back(leaf.grad().defined() ? Value(leaf.grad()) : Value());
  return gradients;
}

List losses_of(nn::GraphModule& net, const Tensors& inputs, const Tensor& labels) {
  net.train();
  optim::SGD optimizer(net.parameters(), {.lr = 0.01});
  List losses;
  for (int step = 0; step < 10; ++step) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(net(inputs)[0], labels);
    loss.backward();
    optimizer.step();
    losses.emplace_back(loss.item<double>());
  }
  return losses;
}

Dict answer(const std::string& verb, const std::string& script, const Dict& given) {
  const Tensors inputs = tensors_of(given.at("inputs"));
  LoadOptions options;
  if (verb != "guess") {
    for (const Tensor& input : inputs) options.input_types.push_back(input.type());
  }
  nn::GraphModule net = load_model(script, options);
  if (verb == "train") return {{"losses", losses_of(net, inputs, given.at("labels").as_tensor())}};
  net.eval();
  Dict result{{"outputs", outputs_of(net, inputs)}};
  if (const Value* more = given.find("more")) {
    List all;
    for (const Value& list : more->as_list()) all.push_back(outputs_or_refusal(net, tensors_of(list)));
    result.insert("more", all);
  }
  if (given.contains("gradients")) result.insert("gradients", gradients_of(net, inputs));
  return result;
}

/// "", or what is wrong.
std::string run(const std::vector<std::string>& words) {
  try {
    if (words.size() != 4) return "expected a verb and three files";
    save(answer(words[0], words[1], load(words[2])), words[3], {.durable = false});
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

int serve() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; std::getline(stream, word, '\t');) words.push_back(word);
    std::string reply = run(words);
    std::replace(reply.begin(), reply.end(), '\n', ' ');
    std::cout << (reply.empty() ? "ok" : reply) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words == std::vector<std::string>{"serve"}) return serve();
  if (words.size() != 4) {
    std::fputs("usage: script_partner run|guess|train SCRIPT GIVEN ANSWER, or serve\n", stderr);
    return 2;
  }
  const std::string reply = run(words);
  if (!reply.empty()) std::fprintf(stderr, "%s\n", reply.c_str());
  return reply.empty() ? 0 : 1;
}
