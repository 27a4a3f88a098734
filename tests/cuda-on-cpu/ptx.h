/* ptx.h - the PTX layer: the PTX that nvcc itself made from the kernels is run on the CPU in
 * place of what g++ compiled.  EMU_PTX=a.ptx:b.ptx names the modules. */
#pragma once
#include "emu.h"
#include "profile.h"
#include <algorithm>
#include <map>

namespace ptx
{
using std::string;
using std::vector;

enum Kind : uint8_t { NONE, REG, IMM, VEC, MEM };

/* An operand: a register, a number, a vector of operands, or an address. */
struct Opd {
    Kind k = NONE;
    int reg = -1;
    uint64_t imm = 0;
    bool lit_float = false;     /* a decimal number with a point: f */
    double f = 0;
    vector<Opd> v;
    int64_t off = 0;
    string sym;
};

struct Warp;
struct Ins;
typedef void (*Fn)(Warp &, Ins &, uint32_t lanes);

struct Ins {
    vector<string> op;          /* "ld", "global", "f32" */
    vector<Opd> a;
    int pred = -1;              /* register of the guard */
    bool neg = false;
    int target = -1;            /* of a branch */
    Fn fn = nullptr;
    string text;
    int line = 0;
    bool has(const char *s) const { return std::find(op.begin(), op.end(), s) != op.end(); }
};

struct Param {
    string name;
    size_t size, off;
};

struct Kernel {
    string name;
    vector<Param> params;
    size_t param_bytes = 0, shared_bytes = 0, local_bytes = 0;
    vector<Ins> code;
    vector<string> regs;
    std::map<string, int> reg_id;
    std::map<string, std::pair<char, uint64_t>> sym;    /* name -> space (s, d, l, p, g), offset */
};

struct Warp {
    Kernel *k;
    unsigned index, exists, live;
    int pc[32];
    Ins *at_bar = nullptr;      /* the barrier it waits at */
    vector<uint64_t> R;         /* register r of lane l: R[r * 32 + l] */
    char *shared, *param;
    vector<char> local;
    vector<Copy> copies[32];
    int group[32] = {};
};

extern std::map<string, Kernel> kernels;
extern Ins *current;            /* the instruction that runs */

[[noreturn]] void die(const char *what, const string &why);
size_t width(const string &type);                   /* bytes of a PTX type */
int reg(Kernel &k, const string &name);
vector<string> split(const string &s, char c);      /* outside brackets; without blanks around */
void load(const string &path);
/* What runs an instruction; NULL if it is not known. */
Fn pick(const Ins &i);
Fn pick_memory(const Ins &i);
Fn pick_move(const Ins &i);
Fn pick_warp(const Ins &i);
/* Stop unless exactly the lanes of the mask take part. */
void need_mask(const Warp &w, uint32_t lanes, uint32_t mask);
} // namespace ptx
