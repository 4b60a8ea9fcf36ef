class Containers(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  sizes : List[int]
  layers : __torch__.torch.nn.modules.container.ModuleList
  def forward(self: __torch__.Containers,
    x: Tensor,
    other: Optional[Tensor]=None) -> Dict[str, Tensor]:
    layers = self.layers
    _0 = getattr(layers, "0")
    _1 = getattr(layers, "1")
    x0 = (_0).forward(x, )
    x1 = (_1).forward(x0, )
    if torch.__isnot__(other, None):
      second = unchecked_cast(Tensor, other)
      x2 = torch.add(x1, second)
    else:
      x2 = x1
    sizes = self.sizes
    if torch.gt(torch.len(sizes), 1):
      pass
    else:
      _2 = torch.format("expected {} sizes", 2)
      ops.prim.RaiseException(torch.add("AssertionError: ", _2))
    table = {"x": x2}
    _3 = table["x"]
    _4 = annotate(List[int], [])
    sizes0 = self.sizes
    for _5 in range(torch.len(sizes0)):
      i = sizes0[_5]
      _6 = torch.append(_4, torch.sub(i, 1))
    torch._set_item(table, "sum", torch.sum(_3, _4, True))
    return table
