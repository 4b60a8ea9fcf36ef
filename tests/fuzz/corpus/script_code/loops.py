class Loops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  fc : __torch__.torch.nn.modules.linear.Linear
  def forward(self: __torch__.Loops,
    x: Tensor,
    times: int=2) -> Tensor:
    parts = annotate(List[Tensor], [])
    x0 = x
    for i in range(times):
      _0 = torch.eq(torch.remainder(i, 2), 0)
      if _0:
        fc = self.fc
        x1 = (fc).forward(x0, )
      else:
        x1 = torch.relu(x0)
      _1 = torch.append(parts, x1)
      x0 = x1
    n = torch.size(x0, 0)
    n0 = n
    _2 = torch.lt(n, 4)
    while _2:
      n1 = torch.add(n0, 1)
      if torch.gt(n1, 100):
        _3 = False
      else:
        _3 = torch.lt(n1, 4)
      _2, n0 = _3, n1
    x2 = x0
    for _4 in range(torch.len(parts)):
      part = parts[_4]
      x3 = torch.add(x2, torch.mul(part, n0))
      x2 = x3
    if torch.ne(torch.dim(x2), 2):
      _5 = x2
    else:
      _6 = torch.add(torch.slice(parts, None, 1), [x2])
      _5 = torch.cat(_6, 1)
    return _5
