# SPDX-License-Identifier: MIT
"""What test_torchscript.py tries: expressions of PyTorch's functions with inputs, and layers with inputs.

An input is a name and a shape, "x 2x3": normal numbers. A letter before the shape says others: p 0.1 to 2, u -0.9 to
0.9, n normal ones with some infinite and NaN, d float64, h float16, i whole numbers from 0 to 2, I from -4 to 4 without
0, b bool. "5" alone is a vector; "x s" is without dimensions.
"""

# Expressions, with ";" between them.
EXPRESSIONS = {
    # --- each element
    "x 2x3x4": """
        torch.abs(x); -x; torch.negative(x); torch.positive(x); torch.exp(x); torch.expm1(x); torch.exp2(x)
        torch.sin(x); torch.cos(x); torch.tan(x); torch.atan(x); torch.arctan(x); torch.sinh(x); torch.cosh(x)
        torch.tanh(x); torch.asinh(x); torch.arcsinh(x); torch.erf(x); torch.erfc(x); torch.special.erf(x)
        torch.sigmoid(x); torch.special.expit(x); torch.relu(x); F.relu6(x); F.logsigmoid(x); F.leaky_relu(x)
        F.leaky_relu(x, 0.2); F.elu(x); F.elu(x, 0.5); F.selu(x); F.celu(x); F.celu(x, 1.5); F.gelu(x)
        F.gelu(x, approximate='tanh'); F.silu(x); F.mish(x); F.hardtanh(x); F.hardtanh(x, -0.5, 0.7); F.hardswish(x)
        F.hardsigmoid(x); F.softplus(x); F.softplus(x, 2.0, 1.0); F.softsign(x); F.threshold(x, 0.1, -3.0)
        F.hardshrink(x); F.hardshrink(x, 0.3); F.softshrink(x); F.softshrink(x, 0.3); F.tanhshrink(x); F.rrelu(x)
        F.glu(x, -1); torch.floor(x); torch.ceil(x); torch.round(x * 3); torch.round(x, decimals=2); torch.trunc(x)
        torch.fix(x); torch.frac(x); torch.sign(x); torch.sgn(x); torch.square(x); torch.reciprocal(x)
        torch.clamp(x, -0.5, 0.5); torch.clamp(x, min=0.1); torch.clamp(x, max=0.1); x.clamp_min(0.2)
        x.clamp_max(0.2); torch.clip(x, -1, 1); torch.clamp(x, 1, 0); torch.isnan(x); torch.isfinite(x)
        torch.logical_not(x); torch.deg2rad(x); torch.rad2deg(x); torch.special.expm1(x); torch.special.round(x)
        torch.nan_to_num(x); torch.absolute(x); x + 2; x - 2; 2 - x; x * 2; x / 2; 2 / x; x + 0.5; x // 0.3; x % 0.7
        torch.fmod(x, 0.7); torch.add(x, 2, alpha=3); torch.sub(x, 2, alpha=0.5); torch.rsub(x, 1, alpha=2)
        torch.div(x, 0.3, rounding_mode='floor'); torch.div(x, 0.3, rounding_mode='trunc'); x ** 2; x ** 3; 2 ** x
        torch.float_power(x, 2); x == 0; x != 0; x < 0.1; x <= 0.1; x > 0.1; x >= 0.1; torch.greater(x, 0)
        torch.where(x > 0, x, 0.5); torch.where(x > 0, 1.0, x); torch.where(x > 0, 1.0, 0.0)
        torch.where(x > 0, 1, 0); torch.masked_fill(x, x > 0.5, -1.0); x.masked_fill(x < 0, float('-inf'))
        x.logit(0.2); torch.xlogy(x.abs(), 2.0)""",
    "x p2x3x4": """
        torch.sqrt(x); torch.rsqrt(x); torch.log(x); torch.log1p(x); torch.log2(x); torch.log10(x)
        torch.special.log1p(x); x ** 0.5; x ** -1.5; torch.pow(2.5, x); torch.lgamma(x); torch.digamma(x)
        torch.acosh(x + 1); torch.arccosh(x + 1); torch.float_power(x, 0.3)""",
    "x u2x3x4": """
        torch.asin(x); torch.acos(x); torch.atanh(x); torch.arcsin(x); torch.arccos(x); torch.arctanh(x)
        torch.erfinv(x); torch.logit(x * 0.4 + 0.5); torch.logit(x + 0.5, 0.1); torch.special.logit(x + 0.5, 0.1)""",
    "x n2x3x4": """
        torch.isnan(x); torch.isinf(x); torch.isposinf(x); torch.isneginf(x); torch.isfinite(x); torch.nan_to_num(x)
        torch.nan_to_num(x, 1.0, 2.0, -2.0); torch.nansum(x); torch.nansum(x, 1); torch.nanmean(x, 1); torch.relu(x)
        torch.clamp(x, -1, 1); torch.amax(x, 1); torch.argmax(x, 2); torch.max(x, 1); torch.sign(x); torch.sum(x, 0)""",
    "x I2x3x4": """
        x + 2; x + 2.5; x * 2.5; x / 2; x // 2; x % 3; x - 1.5; torch.fmod(x, 3); x ** 2; x == 2; x < 1.5; x & 3
        x | 3; x ^ 3; ~x; torch.bitwise_not(x); -x; torch.abs(x); torch.sqrt(torch.abs(x)); torch.exp(x)
        torch.sum(x); torch.sum(x, 1); torch.prod(x, 2); torch.cumsum(x, 1); torch.cumprod(x, 1); torch.relu(x)
        torch.square(x); torch.div(x, 2, rounding_mode='floor'); torch.div(x, 2, rounding_mode='trunc')
        torch.floor_divide(x, 3); torch.true_divide(x, 3); torch.sigmoid(x); torch.clamp(x, -1, 2)
        torch.clamp(x, -1.5, 2.5); torch.sign(x); torch.floor(x); torch.where(x > 0, x, 0)
        torch.where(x > 0, x, 0.5); torch.mean(x, dtype=torch.float32); torch.sum(x, dtype=torch.float32)
        torch.sum(x, 1, dtype=torch.int32); torch.cumsum(x, 1, dtype=torch.int16)
        torch.prod(x[0, 0], dtype=torch.int32); x.float(); x.double(); x.int(); x.bool(); x.long(); x.half()
        x.short(); torch.amax(x, 1); torch.max(x); torch.any(x > 2); torch.all(x > -9, 1)
        torch.logical_and(x > 0, x < 3); torch.softmax(x, 1, dtype=torch.float32)
        torch.cumsum(x, 1, dtype=torch.float32); 2.0 ** x; torch.reciprocal(x); torch.count_nonzero(x)
        torch.argmax(x, 1); torch.bitwise_left_shift(x, 1); x << 1; x >> 1; torch.rsub(x, 1.5); torch.pow(x, 2.0)
        torch.tanh(x); x.int() + 1; x.int() * 2.5; x.int().sum(); x.abs().to(torch.uint8) + 1; x.to(torch.int8) * 3
        torch.remainder(7, x); torch.bitwise_right_shift(x, 1); torch.masked_fill(x, x > 2, 7)
        torch.mean(x.float()); torch.add(x, 1, alpha=2); x.sum() * 0.5; x.sum() + 1; x.sum() / 3; x.max() * 2.5 - 1
        x[0, 0, 0] // 2; (x.sum() > 0.5) & (x > 0)""",
    "x b2x3x4": """
        ~x; torch.logical_not(x); x + 1; x * 2.5; torch.sum(x, 1); torch.any(x, 1); torch.all(x); x.float()
        torch.where(x, 1, 2); torch.where(x, 1.5, 2.5); torch.cumsum(x, 0); x.any(); x.all(1, keepdim=True)
        x.to(torch.float64); x.clone(); x.int() - 1; x.type(torch.float32); x.sum(); torch.zeros_like(x)
        x.float().mean()""",
    "x d2x3x4": """
        x + 1; torch.exp(x); torch.sum(x, 1); x.float(); torch.softmax(x, 1); x.half(); x.to(torch.float32)
        torch.var(x); x * 3.5; x + 1e-9; x.mean() * 0.1 + x; x.sum() / 3 - 0.1; x[0, 0, 0] * 0.1
        torch.linspace(0, 1, 4, dtype=torch.float64) + x""",
    "x h2x3x4": "x + 1; x * 2.5; x.float(); x == 0; x + x; torch.sum(x.float()); x.double() * 2; x / 2",

    # --- over dimensions
    "x 2x5x4": """
        torch.sum(x); torch.sum(x, 1); torch.sum(x, (0, 2)); torch.sum(x, -1, keepdim=True)
        x.sum([1], dtype=torch.float64); torch.mean(x); torch.mean(x, 1); torch.mean(x, [1, 2], True); torch.prod(x)
        torch.prod(x, 1); torch.prod(x, 1, True); torch.std(x); torch.std(x, 1)
        torch.std(x, [1, 2], unbiased=False); torch.std(x, unbiased=False); torch.var(x); torch.var(x, 1)
        torch.var(x, unbiased=False); torch.var(x, [0, 1], True, True); torch.var(x, 1, correction=0)
        torch.var(x, [0, 1], correction=2, keepdim=True); torch.var_mean(x, 1)
        torch.var_mean(x, [0, 1], unbiased=False); torch.std_mean(x, 1); torch.std_mean(x, unbiased=False)
        torch.norm(x); torch.norm(x, 1); torch.norm(x, 2, 1); torch.norm(x, 2.0, [0, 1], True); x.norm()
        x.norm(2, -1, True); torch.norm(x, float('inf'), 1); torch.linalg.vector_norm(x)
        torch.linalg.vector_norm(x, 1.5, 1); torch.linalg.norm(x, dim=2); torch.linalg.norm(x)
        torch.linalg.vector_norm(x, 2, (0, 2), True, dtype=torch.float64); torch.linalg.norm(x[0])
        torch.linalg.norm(x, 'fro', [1, 2]); torch.linalg.matrix_norm(x); torch.norm(x, 0, 1)
        torch.linalg.norm(x, 1, [1]); torch.norm(x, 1.0, [1, 2]); torch.logsumexp(x, 1)
        torch.logsumexp(x, [0, 2], True); torch.softmax(x, 1); torch.log_softmax(x, -1)
        torch.softmax(x, 1, dtype=torch.float64); F.softmax(x, dim=-1); F.softmin(x, dim=1)
        torch.special.softmax(x, 1); torch._softmax(x, 1, False); torch._log_softmax(x, 1, False)
        torch.cumsum(x, 1); torch.cumprod(x, 2); torch.cumsum(x, 0, dtype=torch.float64); torch.any(x > 1)
        torch.any(x > 1, 1); torch.all(x > -1, 2, True); torch.all(x > -9); torch.max(x); torch.min(x)
        torch.max(x, 1); torch.min(x, -1, True); torch.max(x, 1)[0]; torch.max(x, 1).indices; torch.amax(x)
        torch.amax(x, 1); torch.amax(x, (0, 2), True); torch.amin(x, [1]); torch.argmax(x); torch.argmax(x, 1)
        torch.argmax(x, 1, True); torch.argmin(x, -1); torch.aminmax(x, dim=1); torch.aminmax(x); torch.median(x)
        torch.median(x, 1); torch.kthvalue(x, 2, 2); torch.cummax(x, 1); torch.cummin(x, 2)
        torch.count_nonzero(x > 0, 1); torch.quantile(x, 0.3, 1)
        torch.quantile(x, 0.6, 1, True, interpolation='lower'); F.normalize(x, dim=1); F.normalize(x, 1.0, 2)
        torch.topk(x, 2); torch.topk(x, 2, 1); torch.topk(x, 1, 2, False); torch.sort(x); torch.sort(x, 1, True)
        torch.argsort(x, 1); torch.argsort(x, -1, True); torch.sort(x, dim=0, stable=True); torch.msort(x)
        torch.diff(x); torch.diff(x, 1, 1); x[:, 1:].argmax(); x.std(1)[0]; x.view(2, -1).max(1)[1]""",

    # --- two and three tensors
    "x 2x3x4, y 3x4": """
        x + y; x - y; x * y; x / y; torch.add(x, y, alpha=2); torch.sub(x, y, alpha=0.5); torch.rsub(x, y)
        torch.rsub(x, y, alpha=2); torch.maximum(x, y); torch.minimum(x, y); torch.max(x, y); torch.min(x, y)
        torch.atan2(x, y); torch.arctan2(x, y); x == y; x != y; x < y; x <= y; x > y; x >= y; torch.eq(x, y)
        torch.less_equal(x, y); torch.not_equal(x, y); torch.logical_and(x > 0, y > 0)
        torch.logical_or(x > 0, y > 0); torch.logical_xor(x > 0, y > 0); torch.where(x > y, x, y)
        torch.lerp(x, y, 0.3); torch.hypot(x, y); torch.fmod(x, y); torch.remainder(x, y); torch.floor_divide(x, y)
        torch.true_divide(x, y); torch.div(x, y, rounding_mode='floor'); torch.div(x, y, rounding_mode='trunc')
        torch.logaddexp(x, y); torch.clamp(x, y); torch.clamp(x, max=y); torch.clamp(x, y, y + 1)
        torch.clamp_min(x, y); torch.multiply(x, y); torch.subtract(x, y); torch.divide(x, y); torch.isclose(x, y)
        x + y.expand_as(x); torch.masked_fill(x, y > 0, 1.5); torch.where(y > 0, x, -1.0); F.pairwise_distance(x, y)
        F.cosine_similarity(x, y, 2); x.masked_fill(y > 0, 0); torch.broadcast_tensors(x, y); torch.add(x, y.sum())
        torch.float_power(torch.abs(x), y); torch.addcmul(x, y, y)
        torch.take_along_dim(x, torch.argsort(y).unsqueeze(0), 2); y.expand(2, 3, 4) * x; x.eq(y)""",
    "x p2x3x4, y 3x4": "torch.pow(x, y); x ** y; torch.xlogy(x, torch.abs(y)); torch.xlogy(y.abs(), x)",
    "x 2x3, i I2x3": """
        x + i; i + x; x * i; i - x; i / x; x == i; x < i; torch.maximum(x, i); torch.where(x > 0, x, i)
        torch.cat([x, i], 1); torch.cat([i, x], 1); torch.cat([i, x.double(), i.int()]); i.type_as(x); x.type_as(i)
        i.to(x); i.to(x.dtype); torch.pow(x, i); i.to(x.device); i.to(torch.float64); i.to(x.device, torch.float64)
        i.to(x, non_blocking=True); i * x.sum(); x + i.double(); x.double() + i; x * i.double().sum(); i + x.sum()
        i * x.double().mean(); torch.add(i, x, alpha=2.5); torch.sub(x, i, alpha=2); torch.minimum(i, x)
        torch.lerp(x, i.float(), 0.5); x.clamp(i); i.clamp(x); torch.atan2(i, x); i // x; i % x""",
    "i I2x3, j I2x3": """
        i + j; i * j; i / j; i // j; i % j; i & j; i | j; i ^ j; torch.maximum(i, j); torch.add(i, j, alpha=2)
        torch.div(i, j, rounding_mode='trunc'); i == j; torch.fmod(i, j); torch.floor_divide(i, j)
        torch.bitwise_and(i, j); torch.add(i, j, alpha=-1); torch.sub(i, j.int()); torch.atan2(i, j)
        i.short() + j.int(); i.abs().to(torch.uint8) + j.to(torch.int8); i.int() * j.sum()
        torch.where(i > 0, i.int(), j)""",
    "b b2x3, c b2x3": """
        b & c; b | c; b ^ c; torch.logical_and(b, c); b == c; b * c; b + c; torch.bitwise_or(b, c); b | (c & b)
        b > c; torch.where(b, c, ~c); torch.maximum(b, c)""",
    "x 2x3, b b2x3": """
        x * b; b * x; x + b; torch.where(b, x, -x); x.masked_fill(b, 0.0); x.masked_fill(~b, 2); b.to(x) - x
        b.float() @ x.t(); x.masked_fill(b == 0, -1e9); torch.where(b, x, x.new_zeros(1))
        x.masked_fill(b, float('inf'))""",
    "x 2x3, s s": """
        x.mean() * 2.5; x.sum() + 0.1 - s; s * 0.3 + x; s ** 2.5; s / 3; x.mean().div(7) * x; x.max() > 0.3
        torch.where(s > 0, s, 0.1); x + s; x * s; s - x; x / s; torch.maximum(x, s); x < s; x.masked_fill(x > 0, s)
        torch.lerp(x, x, s); x ** 2 * s; torch.where(x > s, x, s); s + s; torch.stack([s, s]); s.view(1)
        s.expand(2, 3) + x; x.sum() + s; s.unsqueeze(0); s.view(-1); s.reshape(1, 1); torch.clamp(x, min=s)
        s.flatten(); s.squeeze(); s.t(); torch.cat([s.view(1), x[0]])""",
    "x 2x3, y p2x3, z p2x3": """
        torch.addcmul(x, y, z); torch.addcmul(x, y, z, value=0.5); torch.addcdiv(x, y, z); torch.lerp(x, y, z)
        torch.addcdiv(x, y, z, value=2); torch.where(x > 0, y, z); torch.clamp(x, y - 1, z)
        torch.cat([x, y, z], -1); torch.stack([x, y, z], 1); torch.einsum('ij,ij,ij->i', [x, y, z])
        torch.hstack([x, y, z])""",

    # --- products
    "x 2x3x4, y 4x5": """
        torch.matmul(x, y); x @ y; x[0].mm(y); torch.mm(x[0], y); F.linear(x, y.t())
        torch.tensordot(x, y, [[2], [0]]); torch.einsum('bij,jk->bik', [x, y]); torch.einsum('bij,jk', x, y)
        torch.inner(x, y.t()); torch.matmul(x, y[:, 0]); torch.mv(x[0], y[:, 0]); torch.linalg.matmul(x, y)
        torch.bmm(x, y.expand(2, 4, 5)); torch.kron(x[0], y); torch.linalg.multi_dot([x[0], y, y.t()])
        torch.chain_matmul(x[0], y, y.t())""",
    "x 2x3x4, y 2x4x5, z 3x5": """
        torch.bmm(x, y); torch.baddbmm(z, x, y); torch.baddbmm(z, x, y, beta=0.5, alpha=2); torch.addbmm(z, x, y)
        torch.addbmm(z, x, y, beta=2.0, alpha=0.5); torch.addmm(z, x[0], y[0])
        torch.addmm(z[0], x[0], y[0], beta=0.5); torch.addmv(z[:, 0], x[0], y[0, :, 0])
        torch.einsum('bij,bjk->bik', [x, y]); torch.matmul(x, y) + z; torch.addmm(z, x[0], y[0], beta=0, alpha=1.5)""",
    "x 4, y 4": """
        torch.dot(x, y); torch.outer(x, y); torch.ger(x, y); torch.vdot(x, y); torch.matmul(x, y); torch.inner(x, y)
        torch.cartesian_prod(x, y); torch.meshgrid([x, y], indexing='ij'); torch.meshgrid(x, y, indexing='xy')
        torch.addr(torch.zeros(4, 4), x, y); torch.diag(x); torch.diag_embed(x); torch.kron(x, y)""",
    "x 2x3, y 4x3": """
        torch.cdist(x, y); torch.cdist(x, y, 1.0); x @ y.T; torch.cross(x, y[:2], dim=1)
        torch.linalg.cross(x, y[:2]); torch.cdist(x, y, 2.0, 'donot_use_mm_for_euclid_dist')
        F.bilinear(x, y[:2], torch.ones(5, 3, 3))""",
    "x 2x5x8, w 24x8, b 24, p 8x8, c 8, m b2x5": """
        torch._native_multi_head_attention(x, x, x, 8, 2, w, b, p, c)
        torch._native_multi_head_attention(x, x, x, 8, 2, w, b, p, c, m, True, False, 1)
        torch._native_multi_head_attention(x, x, x, 8, 2, w, b, p, c, None, False)[0]
        torch._native_multi_head_attention(x, x, x, 8, 2, w, b, p, c, torch.tril(torch.ones(5, 5)) < 1, True, True, 0)
        torch._transformer_encoder_layer_fwd(x, 8, 2, w, b, p, c, True, True, 1e-5, c, c, b[8:16], c, p, c, p, c)
        torch._transformer_encoder_layer_fwd(x, 8, 2, w, b, p, c, False, False, 1e-4, c, c, b[8:16], c, p, c, p, c, m, 1)""",
    "q 2x2x5x4, k 2x2x6x4, v 2x2x6x4": """
        torch.matmul(torch.softmax(torch.matmul(q, k.transpose(-2, -1)) / 2.0, -1), v)
        torch.einsum('bhid,bhjd->bhij', [q, k])""",
}

SHAPES = {
    "x 2x3x4": """
        x.view(2, 12); x.view(-1, 4); x.reshape(6, -1); x.reshape([-1]); torch.reshape(x, (4, 6)); torch.flatten(x)
        x.ravel(); torch.flatten(x, 1); x.flatten(0, 1); x.flatten(-2); x.unflatten(2, [2, 2])
        x.unflatten(-1, (2, -1)); x.permute(2, 0, 1); torch.permute(x, [0, 2, 1]); x.transpose(1, 2)
        x.transpose(-1, 0); torch.swapaxes(x, 0, 1); x.swapdims(1, 2); torch.movedim(x, 0, 2)
        torch.movedim(x, [0, 1], [1, 2]); torch.moveaxis(x, 2, 0); x.unsqueeze(0); x.unsqueeze(-1)
        x.unsqueeze(2).squeeze(2); x[:, :1].squeeze(1); x[:, :1].squeeze(); x.squeeze(); x.squeeze(0); x[0].t()
        x.mT; x[0].T; x.contiguous(); x.clone(); x.detach(); x.expand(5, 2, 3, 4); x[:, :1].expand(-1, 3, -1)
        x[:, :1].expand(2, 3, 4); torch.broadcast_to(x, (2, 2, 3, 4)); x.view_as(x); x.reshape_as(x)
        x.repeat(1, 2, 1); x.repeat(2, 1, 1, 3); torch.tile(x, (2,)); torch.tile(x, (1, 2, 1, 2))
        torch.repeat_interleave(x, 2); torch.repeat_interleave(x, 2, 1); x.repeat_interleave(3, dim=0)
        torch.repeat_interleave(x, torch.tensor([2, 0, 3]), 1); torch.roll(x, 1); torch.roll(x, 1, 1)
        torch.roll(x, [1, 2], [0, 1]); torch.roll(x, -1, -1); torch.flip(x, [0]); torch.flip(x, (1, 2))
        torch.fliplr(x); torch.flipud(x); torch.rot90(x, 1, [1, 2]); torch.rot90(x); torch.triu(x)
        torch.tril(x, -1); torch.triu(x, 1); torch.diagonal(x, 0, 1, 2); torch.diagonal(x)
        torch.diagonal(x, 1, -2, -1); torch.trace(x[0]); torch.diag(x[0]); torch.cat([x, x]); torch.cat([x, x], 1)
        torch.cat((x, x, x), dim=-1); torch.concat([x, x], 2); torch.stack([x, x]); torch.stack([x, x], -1)
        torch.hstack([x, x]); torch.vstack([x, x]); torch.dstack([x, x]); torch.column_stack([x, x])
        torch.split(x, 2, 1); torch.split(x, [1, 2], 1); x.split(1); x.split([1, 3], dim=2); torch.chunk(x, 2)
        x.chunk(3, -1); torch.split_with_sizes(x, [1, 3], 2); torch.unsafe_chunk(x, 2, 1)
        torch.unsafe_split(x, 2, 1); x.unbind(); x.unbind(1); torch.tensor_split(x, 2, 2)
        torch.tensor_split(x, 3, 2); torch.tensor_split(x, [1, 3], 2); x.select(1, 2); x[0]; x[-1]; x[:, 1]
        x[..., 0]; x[:, 1:3]; x[:, ::2]; x[:, -2:]; x[:, 1:-1, 2:]; x[:, None]; x[..., None, 0]; x[0, 1, 2]
        x[1:, :2, ::3]; torch.narrow(x, 1, 1, 2); x.narrow(2, -2, 2); torch.select(x, 2, -1); x.unfold(2, 2, 1)
        x.unfold(1, 2, 1); torch.atleast_3d(x[0]); torch.atleast_2d(x[0, 0]); torch.atleast_1d(x)
        x.to(torch.float32); x.view(2, 3, 2, 2).transpose(1, 2).contiguous(); x.adjoint(); x.view(x.size(0), -1)
        x.view(x.shape[0], x.shape[1] * x.shape[2]); x.new_tensor(3.0); x[:, :, torch.arange(2)]
        torch.unsqueeze(x, 1).expand(-1, 2, -1, -1); x.mH; torch.cat([x[:, :1], x], 1); x.contiguous().view(-1)
        x.reshape(x.size(0), 2, -1); x.view(2, 1, 3, 4).squeeze(1); torch.cat([x.new_zeros(x.size(0), 1, 4), x], 1)
        torch.narrow_copy(x, 1, 0, 2); torch.select_scatter(x, x[0], 0, 1)
        torch.slice_scatter(x, x[:, :2] * 2, 1, 1, 3)""",
    "x I2x3x4": """
        x.view(2, 12); x.permute(2, 0, 1); torch.cat([x, x], 1); x[:, 1]; x.repeat(1, 2, 1); torch.flip(x, [1])
        torch.roll(x, 1, 1); torch.stack([x, x]); x.transpose(0, 1); torch.split(x, 2, 1); x.unsqueeze(1)
        torch.tril(x); x.expand(2, 2, 3, 4); F.pad(x, [1, 1]); x.clone(); x.contiguous(); x.squeeze()""",
}

INDEXING = {
    "x 4x3x5, i i2": """
        torch.index_select(x, 0, i); torch.index_select(x, 1, i); x[i]; x[:, i]; x[:, :, i]; x[i, i]; x[i, :, i]
        x[i.unsqueeze(1), i]; x[..., i]; x[i, 1]; x[i][:, i]; x[-i - 1]; x.index_select(2, i); x[i, 1:]
        F.embedding(i, x[0]); x[:, i, :2]; torch.index_add(x, 1, i[:1], x[:, :1])
        torch.index_copy(x, 1, i[:1], x[:, :1] * 2); x[0].take(i); torch.take(x, i); torch.index_fill(x, 1, i, 2.0)
        torch.index_put(x, [i], torch.ones(3, 5)); F.one_hot(i, 4); F.one_hot(i, 3).float()
        torch.index_put(x, [i], x[:2], accumulate=True); F.embedding(i, x[0], padding_idx=0); x[:, i][:, :1]""",
    "x 3x4, i i3x4": """
        torch.gather(x, 0, i); torch.gather(x, 1, i); torch.scatter(x, 1, i, 2.0); torch.scatter_add(x, 1, i, x)
        x.gather(1, i); torch.scatter_add(torch.zeros_like(x), 0, i, x); torch.take_along_dim(x, i, 1)
        torch.take_along_dim(x, i); torch.scatter_reduce(x, 1, i, x, 'amax')
        torch.scatter_reduce(x, 1, i, x, 'sum', include_self=False); i.float() + x
        torch.scatter(x, 1, i[:, :1], x[:, :1]); torch.scatter(x, 0, i, 1)
        torch.bucketize(x, torch.arange(-1., 2.)); torch.scatter(x, 1, i, x, reduce='add')
        torch.scatter(x, 1, i[:, :1], x, reduce='multiply'); torch.take(x, i)
        torch.searchsorted(torch.arange(-2., 3.), x); torch.searchsorted(torch.arange(-2., 3.), x, right=True)
        torch.bucketize(x, torch.arange(-1., 2.), right=True, out_int32=True)""",
    "x 3x4, b b3x4": "torch.masked_fill(x, b, 3.0); torch.masked_scatter(x, b, x + 1); torch.where(b, x, 0.0)",
    "i i2x3": """
        F.one_hot(i, 3); F.one_hot(i, num_classes=5); torch.eq(i.unsqueeze(-1), torch.arange(3)); torch.arange(3)[i]
        torch.ones(4, 5)[i]; torch.cumsum(i, 1) - 1; i.ne(1).int().cumsum(1)""",
}

CREATION = {
    "x 2x3x4": """
        torch.zeros_like(x) + x; torch.ones_like(x) * x; torch.full_like(x, 2.5) + x; torch.full_like(x, 2) - x
        torch.zeros(2, 3, 4) + x; torch.ones(3, 4) * x; torch.full((3, 4), 0.5) + x
        torch.zeros(4, dtype=torch.float64) + x; torch.arange(4) * x; torch.arange(1, 5) + x
        torch.arange(0, 8, 2) + x; torch.arange(0, 1, 0.25) + x; torch.arange(4.0) - x
        torch.arange(x.size(1)).view(-1, 1) + x; torch.linspace(-1, 1, 4) + x; torch.eye(4) @ x[0].t()
        torch.eye(3, 4) + x; x.new_zeros(3, 4) + x; x.new_ones([4]) + x; x.new_full((4,), 3.0) + x
        torch.tensor(2.0) * x; torch.tensor([1.0, 2.0, 3.0, 4.0]) * x; torch.zeros(x.shape) + x
        torch.ones(x.size(0), x.size(1), 1) + x; torch.zeros_like(x, dtype=torch.int64) + x
        torch.ones_like(x[0]) + x; torch.full_like(x, 1, dtype=torch.int64) + x; torch.scalar_tensor(2.5) * x
        torch.zeros([]) + x; torch.arange(4, dtype=torch.float32) + x; torch.arange(3, -1, -1) + x
        torch.ones(2, 3, 4, dtype=torch.bool) & (x > 0); torch.tril(torch.ones(4, 4)) @ x[0].t()
        x.masked_fill(torch.triu(torch.ones(3, 4), 1) == 1, -1.0); torch.full((2, 1, 1), 7) + x
        x.new_ones(2, 1, 1) + x; torch.tril_indices(3, 3) + x[0, 0, 0]
        torch.triu_indices(3, 4, 1).float() + x[0, 0, 0]; torch.zeros(0, 3, 4).sum() + x; torch.as_tensor(3) + x
        torch.arange(x.shape[2] // 2) + x[..., :2]""",
}

IMAGES = {
    "x 2x4x9": """
        F.max_pool1d(x, 2); F.max_pool1d(x, 3, 2, 1); F.max_pool1d(x, 3, 2, 1, ceil_mode=True)
        F.avg_pool1d(x, 3, 2, 1); F.avg_pool1d(x, 2); F.avg_pool1d(x, 3, 2, 1, True, False)
        F.adaptive_avg_pool1d(x, 4); F.adaptive_max_pool1d(x, 4); F.lp_pool1d(x, 2.0, 3); F.pad(x, [1, 2])
        F.pad(x, [1, 2], mode='reflect'); F.pad(x, [1, 2], mode='replicate'); F.pad(x, [1, 2], mode='circular')
        F.pad(x, [-1, 2], value=1.5); F.pad(x, [1, 1, 2, 0]); torch.channel_shuffle(x, 2); F.interpolate(x, 5)
        F.interpolate(x, scale_factor=2.0); F.interpolate(x, size=5, mode='linear')
        F.interpolate(x, scale_factor=1.7, mode='linear', align_corners=True)
        F.interpolate(x, 5, mode='nearest-exact'); F.max_pool1d(x, 3, 2, return_indices=True)
        F.conv1d(x, torch.ones(3, 4, 2)); F.interpolate(x, size=4, mode='area')""",
    "x 2x4x8x7": """
        F.max_unpool2d(F.max_pool2d(x, 2), F.max_pool2d(x, 2, return_indices=True)[1], 2); F.max_pool2d(x, 2)
        F.max_pool2d(x, 3, 2, 1); F.max_pool2d(x, (3, 2), (2, 1)); F.max_pool2d(x, 3, 2, 1, 1, True)
        F.max_pool2d(x, 2, 1, 0, 2); F.avg_pool2d(x, 2); F.avg_pool2d(x, 3, 2, 1); F.avg_pool2d(x, 3, 2, 1, True)
        F.avg_pool2d(x, 3, 2, 1, True, False); F.avg_pool2d(x, (3, 2), None, 1, False, True, 5)
        F.adaptive_avg_pool2d(x, 1); F.adaptive_avg_pool2d(x, (3, 2)); F.adaptive_max_pool2d(x, (3, 2))
        F.adaptive_max_pool2d(x, 2, return_indices=True); F.max_pool2d(x, 2, return_indices=True)
        F.max_pool2d(x, 3, 2, 1, return_indices=True); F.lp_pool2d(x, 2.0, 2); F.pad(x, [1, 2, 3, 0])
        F.pad(x, [1, 2, 3, 0], mode='reflect'); F.pad(x, [1, 1], value=-1.0)
        F.pad(x, [1, 2, 3, 0], mode='replicate'); F.pad(x, [1, 2, 1, 0], mode='circular'); F.pad(x, [-1, 0, 0, -2])
        F.pixel_shuffle(x, 2); F.pixel_unshuffle(x[..., :6], 2); F.channel_shuffle(x, 2); F.unfold(x, 3)
        F.unfold(x, (2, 3), 1, 1, 2); F.fold(F.unfold(x, 3), [8, 7], 3); F.interpolate(x, (5, 9))
        F.interpolate(x, scale_factor=2.0); F.interpolate(x, scale_factor=[1.5, 2.0])
        F.interpolate(x, (5, 9), mode='bilinear'); F.interpolate(x, (5, 9), mode='bilinear', align_corners=True)
        F.interpolate(x, scale_factor=2.0, mode='bilinear'); F.interpolate(x, scale_factor=0.7, mode='bilinear')
        F.interpolate(x, scale_factor=1.3, mode='bilinear', align_corners=True)
        F.interpolate(x, scale_factor=0.7, mode='bilinear', recompute_scale_factor=True)
        F.interpolate(x, (5, 9), mode='bicubic')
        F.interpolate(x, scale_factor=1.6, mode='bicubic', align_corners=True)
        F.interpolate(x, (5, 9), mode='nearest-exact'); F.interpolate(x, (4, 4), mode='area')
        torch.native_channel_shuffle(x, 2); F.local_response_norm(x, 3); F.group_norm(x, 2); F.instance_norm(x)
        F.layer_norm(x, [8, 7]); F.layer_norm(x, [4, 8, 7], eps=1e-3)
        F.conv2d(x, torch.ones(2, 4, 3, 3), padding=1); torch.native_layer_norm(x, [7], None, None, 1e-5)[0]
        torch.native_group_norm(x, None, None, 2, 4, 56, 2, 1e-5)[0]
        F.interpolate(x, size=[x.shape[2] * 2, x.shape[3] * 2], mode='bilinear', align_corners=False)
        F.dropout(x, 0.5, False); F.dropout2d(x, 0.5, False); F.alpha_dropout(x, 0.5, False)
        F.feature_alpha_dropout(x, 0.5, False); F.pad(x, [0, 0, 0, 0]); F.pad(x, [1, 1, 1, 1, 1, 1])""",
    "x 1x2x4x5x6": """
        F.max_unpool3d(F.max_pool3d(x, 2), F.max_pool3d(x, 2, return_indices=True)[1], 2, None, 0, [4, 5, 6])
        F.max_pool3d(x, 2); F.max_pool3d(x, 3, 2, 1); F.avg_pool3d(x, 2); F.avg_pool3d(x, 3, 2, 1, False, False)
        F.adaptive_avg_pool3d(x, (2, 3, 1)); F.adaptive_max_pool3d(x, 2); F.interpolate(x, scale_factor=2.0)
        F.interpolate(x, (3, 4, 5), mode='trilinear'); F.pad(x, [1, 1, 1, 1, 1, 1], mode='replicate')
        F.pad(x, [1, 0, 2, 1, 0, 1]); F.conv3d(x, torch.ones(3, 2, 2, 2, 2))
        F.max_pool3d(x, 2, return_indices=True); F.pad(x, [1, 1, 1, 1, 1, 1], mode='reflect')
        F.interpolate(x, scale_factor=1.5, mode='trilinear', align_corners=True)
        F.interpolate(x, (3, 4, 5), mode='nearest-exact')
        F.conv_transpose3d(x, torch.ones(2, 3, 2, 2, 2), stride=2); F.instance_norm(x)""",
    "x 2x3x5x6, g u2x4x3x2": """
        F.grid_sample(x, g, align_corners=False); F.grid_sample(x, g, 'nearest', 'border', True)
        F.grid_sample(x, g * 2, 'bicubic'); F.grid_sample(x, g * 2, padding_mode='reflection', align_corners=True)""",
    "t 2x2x3": """
        F.affine_grid(t, [2, 3, 4, 5], align_corners=False); F.affine_grid(t, [2, 1, 3, 3], align_corners=True)""",
    "x 2x3x8x8, w 4x3x3x3, b 4": """
        F.conv2d(x, w, b); F.conv2d(x, w, b, 2, 1); F.conv2d(x, w, b, (2, 1), (1, 0), (1, 2))
        F.conv2d(x, w, None, padding='same'); F.conv2d(x, w, b, padding='valid')
        F.conv2d(x, w, b, padding='same', dilation=2); F.conv2d(x, w[:3, :1], None, groups=3)
        F.conv_transpose2d(x, w.transpose(0, 1), b, 2, 1, 1)
        torch.convolution(x, w, b, [1, 1], [1, 1], [1, 1], False, [0, 0], 1)
        torch._convolution(x, w, b, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, False, False, True, True)
        F.conv2d(x[0], w, b); torch.conv2d(x, w, b, [2], [1]); F.conv2d(x, w[:, :, :2, :2], b, padding='same')
        F.conv_transpose2d(x[0], w.transpose(0, 1))
        torch.convolution(x, w.transpose(0, 1), None, [2, 2], [1, 1], [1, 1], True, [1, 1], 1)
        F.batch_norm(x, b[:3], b[:3].abs()); F.batch_norm(x, b[:3], b[:3].abs(), b[1:], b[1:], False, 0.1, 1e-3)
        F.instance_norm(x, None, None, b[:3], b[:3]); F.group_norm(x, 3, b[:3], b[1:]); F.prelu(x, b[:3])
        F.prelu(x, b[:1]); F.layer_norm(x, [8], x[0, 0, 0], x[1, 0, 0])
        F.instance_norm(x, b[:3], b[:3].abs(), None, None, False)
        torch.native_batch_norm(x, b[:3], b[:3], b[:3], b[:3].abs(), False, 0.1, 1e-5)[0]""",
}

LOSSES = {
    "x 4x3, y i4": """
        F.cross_entropy(x, y); F.cross_entropy(x, y, reduction='sum'); F.cross_entropy(x, y, reduction='none')
        F.cross_entropy(x, y, torch.tensor([1.0, 2.0, 0.5])); F.cross_entropy(x, y, ignore_index=1)
        F.cross_entropy(x, y, label_smoothing=0.1); F.nll_loss(F.log_softmax(x, 1), y)
        F.nll_loss(x, y, ignore_index=2); F.nll_loss(x, y, reduction='none'); F.multi_margin_loss(x, y)
        F.multi_margin_loss(x, y, 2, 0.5, reduction='sum')""",
    "x 2x3x4x4, y i2x4x4": "F.cross_entropy(x, y); F.nll_loss(x, y, reduction='sum')",
    "x 4x3, y 4x3": """
        F.mse_loss(x, y); F.mse_loss(x, y, reduction='none'); F.l1_loss(x, y); F.l1_loss(x, y, reduction='sum')
        F.smooth_l1_loss(x, y); F.smooth_l1_loss(x, y, beta=0.5); F.huber_loss(x, y, delta=0.5)
        F.kl_div(x, torch.softmax(y, 1), reduction='batchmean'); F.kl_div(x, y, reduction='sum', log_target=True)
        F.kl_div(x, torch.softmax(y, 1)); F.binary_cross_entropy(torch.sigmoid(x), torch.sigmoid(y))
        F.binary_cross_entropy_with_logits(x, torch.sigmoid(y))
        F.binary_cross_entropy_with_logits(x, torch.sigmoid(y), reduction='none')
        F.binary_cross_entropy_with_logits(x, torch.sigmoid(y), None, None, None, 'sum', torch.tensor([1.0, 2.0, 3.0]))
        F.soft_margin_loss(x, torch.sign(y)); F.hinge_embedding_loss(x, torch.sign(y))
        F.poisson_nll_loss(x, y.abs()); F.cosine_embedding_loss(x, y, torch.ones(4))
        F.margin_ranking_loss(x, y, torch.sign(y)); F.triplet_margin_loss(x, y, x * 2)
        F.cross_entropy(x, torch.softmax(y, 1)); F.multilabel_soft_margin_loss(x, (y > 0).float())""",
}

# What is refused, and a word of why: other numbers would come of it, or values of the inputs would have to be known.
REFUSED = {
    "x 2x3x4": {
        "torch.linalg.norm(x, 1.0, [1, 2])": "norm of matrices",
        "torch.linalg.norm(x[0], float('inf'))": "norm of matrices",
        "torch.rand_like(x) + x": "rand_like", "torch.randn(2, 3)": "randn", "torch.empty(2, 3)": "empty",
        "torch.nonzero(x)": "nonzero", "torch.multinomial(x[0].abs(), 1)": "multinomial",
        "torch.fft.rfft(x).real": "fft",
        "torch.quantile(x, torch.tensor([0.1, 0.2]), 1)": "expected a number as q", "torch.where(x > 0)[0]": "where",
        "torch.linalg.inv(x[:, :2, :2])": "linalg_inv", "torch.sinc(x)": "sinc", "torch.diff(x, 2)": "diff",
        "torch.scatter(x, 1, torch.zeros(2, 1, 4, dtype=torch.int64), 1.0, reduce='add')": "reduce",
        "torch.embedding(x[0], torch.zeros(2, dtype=torch.int64), -1, True)": "scale_grad_by_freq",
        "F.interpolate(x, 5, mode='linear', antialias=False) + torch.rand(1)": "rand",
        "torch.slice_scatter(x, x[:, ::2], 1, 0, 3, 2)": "slice_scatter", "x[x > 0]": "mask",
    },
}

# In place, on tensors of their own.
IN_PLACE = {
    "x 2x3x4": """
        (x * 1).add_(2); (x * 1).relu_(); (x * 1).mul_(x); (x * 1).clamp_(-1, 1); (x * 1).sigmoid_()
        (x * 1).zero_(); (x * 1).fill_(3); (x * 1).div_(2).sub_(1, alpha=2); (x * 1).masked_fill_(x > 0, 2.0)
        (x * 1).copy_(x[:1]); (x * 1).unsqueeze_(1); (x * 1).transpose_(0, 1); (x * 1).exp_().log_()
        F.relu(x * 1, inplace=True); F.leaky_relu_(x * 1, 0.3); (x * 1).squeeze_(); F.hardswish(x * 1, inplace=True)
        F.silu(x * 1, inplace=True); (x * 1).index_fill_(1, torch.tensor([0]), 2.0); (x * 1).neg_()
        torch.rot90(x, 4).add_(1) + x; torch.channel_shuffle(x.unsqueeze(3), 1).add_(1) + x.unsqueeze(3)
        torch.chunk(x.abs(), 1)[0].add_(1) + x; F.pixel_shuffle(x.unsqueeze(0), 1).add_(1) + x
        F.interpolate(x, 4).add_(1) + x; F.interpolate(x, 4, mode='linear').add_(1) + x
        F.adaptive_avg_pool1d(x, 4).add_(1) + x; F.avg_pool1d(x, 1).add_(1) + x
        x.repeat_interleave(1).add_(1) + x.view(-1); x.sum([]).add_(1) + x; F.max_pool1d(x, 1).add_(1) + x
        torch.gather(x, 0, torch.zeros_like(x).long()).add_(1) + x; x.take_along_dim(x.long() * 0, 0).add_(1) + x
        torch.cat([x]).add_(1) + x; x.repeat(1, 1, 1).add_(1) + x; F.pad(x, [0, 0]).add_(1) + x
        x.clone().add_(1) + x; torch.flip(x, [0]).add_(1) + x; x.float().mul(1).add_(1) + x
        torch.roll(x, 0, 0).add_(1) + x; x.tile(1).add_(1) + x; F.relu6(x).add_(1) + x; torch.tril(x, 9).add_(1) + x
        torch.index_select(x, 0, torch.arange(2)).add_(1) + x; torch.maximum(x, x).add_(1) + x
        torch.nan_to_num(x).add_(1) + x; (x ** 1).add_(1) + x; (x + 0).add_(1) + x
        torch.repeat_interleave(x, 1, 0).add_(1) + x; torch.stack([x])[0].add_(1) + x
        torch.where(x == x, x, x).add_(1) + x; (x * 1).addcmul_(x, x); (x * 1).lerp_(x, 0.5); (x * 1).pow_(2)
        F.dropout(x * 1, 0.5, False, True); (x * 1).tril_(); F.hardtanh_(x * 1); F.elu_(x * 1)
        F.threshold_(x * 1, 0.0, 1.0); (x * 1).clamp_min_(0.1); (x * 1).floor_()
        (x * 1).scatter_(1, torch.zeros(2, 1, 4, dtype=torch.int64), 1.5); (x * 1).swapaxes_(0, 1); (x * 1).round_()
        (x * 1).rsqrt_()""",
}

# Layers, with ";" between them.
LAYERS = {
    "x 2x4x8x8": """
        nn.Conv2d(4, 6, 3); nn.Conv2d(4, 6, 3, 2, 1, bias=False); nn.Conv2d(4, 4, 3, groups=4, padding='same')
        nn.Conv2d(4, 6, (1, 3), padding=(0, 1)); nn.Conv2d(4, 6, 3, padding=1, padding_mode='reflect')
        nn.Conv2d(4, 6, 3, padding=1, padding_mode='circular'); nn.ConvTranspose2d(4, 3, 3, 2, 1, 1)
        nn.ConvTranspose2d(4, 6, 2, 2, groups=2, bias=False); nn.BatchNorm2d(4); nn.BatchNorm2d(4, affine=False)
        nn.InstanceNorm2d(4); nn.InstanceNorm2d(4, affine=True); nn.GroupNorm(2, 4); nn.LayerNorm([8, 8])
        nn.LayerNorm(8, elementwise_affine=False); nn.MaxPool2d(2); nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        nn.AvgPool2d(2); nn.AdaptiveAvgPool2d(1); nn.AdaptiveAvgPool2d((None, 2)); nn.AdaptiveMaxPool2d(2)
        nn.Flatten(); nn.Dropout(); nn.Dropout2d(); nn.AlphaDropout(); nn.PReLU(); nn.PReLU(4)
        nn.ReLU(inplace=True); nn.GELU(); nn.Hardswish(); nn.Softmax(1); nn.LogSoftmax(1); nn.Softmax2d()
        nn.Upsample(scale_factor=2.0); nn.Upsample((5, 5), mode='bilinear', align_corners=True); nn.PixelShuffle(2)
        nn.PixelUnshuffle(2); nn.ZeroPad2d(1); nn.ReflectionPad2d(2); nn.ReplicationPad2d((1, 0, 2, 1))
        nn.ConstantPad2d(1, 2.0); nn.Unfold(3); nn.LPPool2d(2.0, 2); nn.LocalResponseNorm(3); nn.ChannelShuffle(2)
        nn.Identity(); nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU6()); nn.Threshold(0.1, 1.0)
        nn.utils.weight_norm(nn.Conv2d(4, 6, 3)); nn.Sequential(nn.Flatten(), nn.Linear(256, 5))
        nn.Unflatten(1, (2, 2)); nn.UpsamplingNearest2d(scale_factor=2)
        nn.BatchNorm2d(4, track_running_stats=False); nn.InstanceNorm2d(4, track_running_stats=True)
        nn.Conv2d(4, 6, 3, padding=2, dilation=2)""",
    "x 2x4x9": """
        nn.Conv1d(4, 6, 3); nn.Conv1d(4, 4, 3, 2, 1, groups=2); nn.ConvTranspose1d(4, 3, 3, 2, 1, 1)
        nn.BatchNorm1d(4); nn.InstanceNorm1d(4); nn.MaxPool1d(2); nn.AvgPool1d(3, 2, 1); nn.AdaptiveAvgPool1d(3)
        nn.AdaptiveMaxPool1d(3); nn.Linear(9, 5); nn.LayerNorm(9); nn.ReflectionPad1d(2); nn.GLU(1)
        nn.Conv1d(4, 6, 3, padding='same'); nn.Upsample(scale_factor=2.0, mode='linear')
        nn.utils.weight_norm(nn.Linear(9, 5)); nn.Dropout1d()""",
    "x 1x2x4x5x6": """
        nn.Conv3d(2, 3, 2); nn.Conv3d(2, 4, 3, 2, 1, groups=2); nn.ConvTranspose3d(2, 3, 2, 2); nn.BatchNorm3d(2)
        nn.MaxPool3d(2); nn.AvgPool3d(2); nn.AdaptiveAvgPool3d(2); nn.InstanceNorm3d(2); nn.ReplicationPad3d(1)
        nn.ConstantPad3d(1, 0.5)""",
    "x 3x5": """
        nn.Linear(5, 4); nn.Linear(5, 4, bias=False); nn.BatchNorm1d(5)
        nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)); nn.Softsign()""",
    "i i2x3": """
        nn.Embedding(5, 4); nn.Embedding(5, 4, padding_idx=0); nn.EmbeddingBag(5, 4)
        nn.EmbeddingBag(5, 4, mode='sum'); nn.EmbeddingBag(5, 4, mode='max')""",
    "x 3x2x5": """
        nn.LSTM(5, 4); nn.LSTM(5, 4, 2, bidirectional=True); nn.LSTM(5, 4, bias=False); nn.LSTM(5, 4, proj_size=3)
        nn.GRU(5, 4); nn.GRU(5, 4, 2, bidirectional=True); nn.RNN(5, 4)
        nn.RNN(5, 4, nonlinearity='relu', bidirectional=True); nn.LSTM(5, 4, batch_first=True)
        nn.GRU(5, 4, batch_first=True, dropout=0.1, num_layers=2)""",
    "x 3x5, h 3x4, c 3x4": "LSTMCell(5, 4)",
    "x 3x5, h 3x4": "nn.GRUCell(5, 4); nn.RNNCell(5, 4); nn.RNNCell(5, 4, nonlinearity='relu')",
    "x 2x5x8": """
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        nn.TransformerEncoderLayer(8, 2, 16, norm_first=True)
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)""",
    "q 5x2x8, k 6x2x8, v 6x2x8": "nn.MultiheadAttention(8, 2); nn.MultiheadAttention(8, 2, bias=False)",
    "x 2x3x4, y 2x3x4": """
        nn.TransformerDecoderLayer(4, 2, 8); nn.Bilinear(4, 4, 3); nn.CosineSimilarity(2); nn.PairwiseDistance()""",
    "x 4x3, y 4x3": """
        nn.MSELoss(); nn.L1Loss(reduction='sum'); nn.SmoothL1Loss(); nn.HuberLoss(); nn.BCEWithLogitsLoss()
        nn.KLDivLoss(); nn.CosineSimilarity()""",
}
