/* ptx_parse.cc - PTX text into kernels. */
#include "ptx.h"
#include <sstream>

namespace ptx
{
std::map<string, Kernel> kernels;

[[noreturn]] static void stop(const string &why)
{
    fprintf(stderr, "CUDA-ON-CPU ERROR: PTX: %s\n", why.c_str());
    exit(86);
}

size_t width(const string &t)
{
    if (t == "pred")
        return 1;
    if (t == "f16x2" || t == "bf16x2")
        return 4;
    return t == "bf16" ? 2 : (size_t)atoi(t.c_str() + 1) / 8;
}

vector<string> split(const string &s, char c)
{
    vector<string> parts(1);
    int depth = 0;
    for (char k : s) {
        depth += strchr("{[(", k) ? 1 : strchr("}])", k) ? -1 : 0;
        if (k == c && depth == 0)
            parts.emplace_back();
        else
            parts.back() += k;
    }
    if (parts.back().empty())
        parts.pop_back();
    for (auto &p : parts) {
        const size_t a = p.find_first_not_of(" \t\n"), b = p.find_last_not_of(" \t\n");
        p = a == string::npos ? "" : p.substr(a, b - a + 1);
    }
    return parts;
}

static vector<string> words(const string &s)
{
    std::istringstream is(s);
    vector<string> w;
    for (string x; is >> x;)
        w.push_back(x);
    return w;
}

int reg(Kernel &k, const string &name)
{
    auto it = k.reg_id.find(name);
    if (it == k.reg_id.end()) {
        k.regs.push_back(name);
        it = k.reg_id.emplace(name, (int)k.regs.size() - 1).first;
    }
    return it->second;
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* One module's text, read from its start to its end. */
class Parser
{
    typedef std::map<string, string> Scope;     /* registers that hide outer ones */

    string path, statement;
    Kernel module, *k = nullptr;
    int depth = 0, line = 1, n_scopes = 0;
    vector<Scope> scopes{{}};
    std::map<string, int> labels;
    vector<std::pair<int, string>> branches;

    Opd number(const string &s)
    {
        Opd o;
        o.k = IMM;
        if (s[0] == '0' && strchr("fFdD", s[1]) && s[1])
            o.imm = strtoull(s.c_str() + 2, nullptr, 16);
        else if (s.find('.') != string::npos)
            o.lit_float = true, o.f = atof(s.c_str());
        else if (s[0] == '-')
            o.imm = (uint64_t)strtoll(s.c_str(), nullptr, 0);
        else
            o.imm = strtoull(s.c_str(), nullptr, 0);
        return o;
    }

    Opd operand(string s)
    {
        Opd o;
        if (s[0] == '{') {
            o.k = VEC;
            for (auto &x : split(s.substr(1, s.rfind('}') - 1), ','))
                o.v.push_back(operand(x));
            return o;
        }
        if (s[0] == '[') {
            s = s.substr(1, s.rfind(']') - 1);
            const size_t plus = s.find('+');
            const int64_t off = plus == string::npos ? 0 : strtoll(&s[plus + 1], nullptr, 0);
            o = operand(split(s.substr(0, plus), ' ')[0]);
            o.k = MEM, o.off = off;
            return o;
        }
        s = s.substr(0, s.find('|'));
        const auto hidden = scopes.back().find(s);
        if (s == "_" || s[0] == '%' || hidden != scopes.back().end()) {
            o.k = REG;
            if (s != "_")
                o.reg = reg(*k, hidden != scopes.back().end() ? hidden->second : s);
            return o;
        }
        if (isdigit(s[0]) || s[0] == '-')
            return number(s);
        o.k = IMM, o.sym = s;
        return o;
    }

    /* .shared .align 4 .b8 name[128] */
    void declare(Kernel &to, const vector<string> &t)
    {
        const string whole = t.back(), name = whole.substr(0, whole.find('['));
        size_t n = width(t[t.size() - 2].substr(1)), align = 4;
        bool external = false;
        char space = 'g';
        if (name != whole)
            n *= strtoull(&whole[name.size() + 1], nullptr, 0);
        for (size_t i = 0; i < t.size(); i++) {
            align = t[i] == ".align" ? (size_t)atoi(t[i + 1].c_str()) : align;
            external = external || t[i] == ".extern";
            space = t[i] == ".shared" ? 's' : t[i] == ".local" ? 'l' : space;
        }
        size_t &total = space == 's' ? to.shared_bytes : to.local_bytes;
        total = round_up(total, align);
        to.sym[name] = {external && space == 's' ? 'd' : space, total};     /* d: dynamic */
        if (!external)
            total += n;
    }

    /* .param .align 8 .b8 name[24], or .param .u64 .ptr .align 1 name: the alignment after .ptr
     * is that of what it points at. */
    void parameter(const string &text)
    {
        const vector<string> t = words(text);
        size_t n = 0, align = 0, bracket = t.back().find('[');
        bool pointer = false;
        for (size_t i = 0; i + 1 < t.size(); i++) {
            if (t[i] == ".ptr")
                pointer = true;
            else if (t[i] == ".align" && !pointer)
                align = (size_t)atoi(t[i + 1].c_str());
            else if (!n && t[i].size() > 2 && strchr("bsuf", t[i][1]) && isdigit(t[i][2]))
                n = width(t[i].substr(1));
        }
        align = align ? align : n;
        if (bracket != string::npos)
            n *= (size_t)atoi(&t.back()[bracket + 1]);
        k->param_bytes = round_up(k->param_bytes, align);
        k->sym[t.back().substr(0, bracket)] = {'p', k->param_bytes};
        k->params.push_back({t.back(), n, k->param_bytes});
        k->param_bytes += n;
    }

    void begin_kernel()
    {
        const size_t entry = statement.find(".entry"), open = statement.find('(', entry);
        string name = words(statement.substr(entry + 6))[0];
        name = name.substr(0, name.find('('));
        k = &kernels[name];
        *k = module;
        k->name = name;
        if (open != string::npos)
            for (auto &p : split(statement.substr(open + 1, statement.find(')', open) - open - 1),
                                 ','))
                parameter(p);
        depth = 1, labels.clear(), branches.clear(), scopes = {{}};
    }

    void end_kernel()
    {
        bool dynamic = false;
        for (auto &b : branches)
            k->code[(size_t)b.first].target = labels.at(b.second);
        for (auto &y : k->sym)
            dynamic |= y.second.first == 'd';
        if (dynamic)
            k->shared_bytes = round_up(k->shared_bytes, 16);
        k->local_bytes = round_up(k->local_bytes, 16);
        for (auto &i : k->code)
            for (auto &o : i.a) {
                const auto y = k->sym.find(o.sym);
                if (!o.sym.empty() && y == k->sym.end())
                    stop(path + ": unknown symbol " + o.sym);
                if (!o.sym.empty())
                    o.imm = y->second.first == 'd' ? k->shared_bytes : y->second.second;
            }
        k = nullptr;
    }

    void outside(char c)
    {
        static const char *const settings[] = {".version", ".target", ".address_size"};
        bool setting = false;
        for (auto s : settings)
            setting |= statement.find(s) != string::npos;
        if (c == '{' && statement.find(".entry") != string::npos) {
            begin_kernel();
        } else if (c == ';') {
            if (statement.find(".shared") != string::npos
                || statement.find(".global") != string::npos)
                declare(module, words(statement));
        } else if (c != '{' && !(c == '\n' && setting)) {
            statement += c;
            return;
        }
        statement.clear();
    }

    void directive(const string &x)
    {
        const vector<string> t = words(x);
        if (t[0].substr(0, 4) == ".reg") {
            for (auto &y : split(x.substr(x.find(' ', 5)), ','))
                if (depth > 1) {
                    const string name = split(y, ' ').back();
                    scopes.back()[name] = name + "@" + std::to_string(n_scopes);
                }
        } else if (t[0] == ".shared" || t[0] == ".local") {
            declare(*k, t);
        }
    }

    void instruction(string x)
    {
        Ins i;
        i.text = x, i.line = line;
        if (x[0] == '@') {
            const size_t end = x.find(' ');
            i.neg = x[1] == '!';
            i.pred = operand(x.substr(1 + i.neg, end - 1 - i.neg)).reg;
            x = x.substr(x.find_first_not_of(' ', end));
        }
        const size_t end = x.find_first_of(" {");
        i.op = split(x.substr(0, end), '.');
        const string &o = i.op[0];
        const vector<string> given = end == string::npos ? vector<string>()
                                                         : split(x.substr(end), ',');
        if (o == "bra")
            branches.push_back({(int)k->code.size(), given[0]});
        else
            for (auto &y : given)
                i.a.push_back(operand(y));
        if (o != "bra" && o != "ret" && o != "exit" && o != "bar" && o != "barrier") {
            i.fn = pick(i);
            if (!i.fn)
                stop(path + ":" + std::to_string(line) + ": not supported: " + i.text);
        }
        k->code.push_back(i);
    }

    void inside(char c)
    {
        const bool blank = statement.find_first_not_of(" \t\n") == string::npos;
        if (c == '{' && blank) {
            depth++, n_scopes++;
            scopes.push_back(Scope(scopes.back()));
        } else if (c == '}' && blank) {
            scopes.pop_back();
            if (--depth == 0)
                end_kernel();
        } else if (c == ':' && !blank) {
            labels[words(statement)[0]] = (int)k->code.size();
        } else if (c == ';') {
            string x = statement.substr(statement.find_first_not_of(" \t\n"));
            std::replace(x.begin(), x.end(), '\n', ' ');
            std::replace(x.begin(), x.end(), '\t', ' ');
            if (x[0] == '.')
                directive(x);
            else
                instruction(x);
        } else {
            statement += c;
            return;
        }
        statement.clear();
    }

  public:
    explicit Parser(const string &p) : path(p) {}

    void read(const string &text)
    {
        for (char c : text) {
            line += c == '\n';
            if (k)
                inside(c);
            else
                outside(c);
        }
    }
};

void load(const string &path)
{
    FILE *f = fopen(path.c_str(), "r");
    string s;
    if (!f)
        stop("no " + path);
    for (int c; (c = fgetc(f)) != EOF;)
        s += (char)c;
    fclose(f);
    for (size_t p; (p = s.find("//")) != string::npos;)
        s.erase(p, s.find('\n', p) - p);
    for (size_t p; (p = s.find("/*")) != string::npos;)
        s.erase(p, s.find("*/", p) + 2 - p);
    Parser(path).read(s);
}
} // namespace ptx
