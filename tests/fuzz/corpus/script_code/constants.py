class Constants(Module):
  __parameters__ = []
  __buffers__ = ["places", ]
  places : Tensor
  training : bool
  _is_full_backward_hook : Optional[bool]
  table : __torch__.torch.nn.modules.sparse.Embedding
  def forward(self: __torch__.Constants,
    x: Tensor) -> Tensor:
    places = self.places
    table = self.table
    _0 = torch.ones([3, 3], dtype=None, layout=None, device=torch.device("cpu"), pin_memory=False)
    mask = torch.to(torch.triu(_0, 1), 11)
    y = torch.add((table).forward(x, ), (table).forward1(places, ))
    _1 = torch.matmul(y, torch.transpose(y, 1, 2))
    scores = torch.masked_fill(torch.div(_1, CONSTANTS.c0), mask, -inf)
    _2 = torch.matmul(torch.softmax(scores, -1), y)
    _3 = torch.to(CONSTANTS.c1, torch.device("cpu"), 6)
    return torch.add(_2, torch.detach(_3))
