// toml++ is included here alone, and only C leaves this target: Swift's C++ interoperation would see all of its headers.
//
// Its assertions must neither end the process, which they do at texts such as "a = [}" and "[,a]", nor be left out by NDEBUG,
// which makes them assumptions: at the same texts the compiler could then do as it likes. Doing nothing, they leave it to toml++ to
// report such a text as it reports any other. How deep it reads differs between its versions.

#include "CTOML.h"

#if !__has_include(<toml++/toml.h>)
#error "toml++ is missing: board/packages run installs it (Debian's libtomlplusplus-dev)"
#endif
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

struct ctoml_document {
    toml::table root;
    std::vector<ctoml_value> values;
};

namespace {

// toml++ frees tables by recursion, and dotted keys nest them as deep as the text is long: 30,000 of them overflow a stack of 8 MB
// in a debug build, so many take less than 512 KB.
constexpr size_t dots_max = 1'024;

ctoml_string view(std::string_view text) { return {text.data(), text.size()}; }

void report(ctoml_fault *fault, size_t line, size_t column, std::string_view reason) {
    fault->line = static_cast<uint32_t>(line);
    fault->column = static_cast<uint32_t>(column);
    auto count = std::min(reason.size(), sizeof fault->reason - 1);
    *std::copy_n(reason.begin(), count, fault->reason) = 0;
}

/// Lists a value and what is in it. Returns the first one that lies deeper than `depth_max`, or null.
const toml::node *list(
    const toml::node &node, std::string_view key, size_t depth_max, std::vector<ctoml_value> &values
) {
    ctoml_value value{};
    value.line = node.source().begin.line;
    value.key = view(key);
    auto index = values.size();
    values.push_back(value);
    auto inside = [&](std::string_view key, const toml::node &node) {
        return depth_max == 0 ? &node : list(node, key, depth_max - 1, values);
    };
    switch (node.type()) {
    case toml::node_type::table:
        value.kind = ctoml_table;
        value.count = node.as_table()->size();
        for (auto &&[key, node] : *node.as_table())
            if (auto deep = inside(key.str(), node)) return deep;
        break;
    case toml::node_type::array:
        value.kind = ctoml_array;
        value.count = node.as_array()->size();
        for (auto &node : *node.as_array())
            if (auto deep = inside({}, node)) return deep;
        break;
    case toml::node_type::string:
        value.kind = ctoml_text;
        value.text = view(node.as_string()->get());
        break;
    case toml::node_type::integer:
        value.kind = ctoml_integer;
        value.integer = node.as_integer()->get();
        break;
    case toml::node_type::floating_point:
        value.kind = ctoml_number;
        value.number = node.as_floating_point()->get();
        break;
    case toml::node_type::boolean:
        value.kind = ctoml_truth;
        value.integer = node.as_boolean()->get();
        break;
    case toml::node_type::date: value.kind = ctoml_date; break;
    case toml::node_type::time: value.kind = ctoml_time; break;
    case toml::node_type::date_time: value.kind = ctoml_date_time; break;
    case toml::node_type::none: break;
    }
    values[index] = value;
    return nullptr;
}

}  // namespace

ctoml_document *ctoml_parse(ctoml_string text, size_t depth_max, ctoml_fault *fault) {
    size_t line = 1, dots = 0;
    for (auto byte : std::string_view{text.bytes, text.count}) {
        line += byte == '\n';
        dots += byte == '.';
        if (dots > dots_max) {
            report(fault, line, 0, "more than " + std::to_string(dots_max) + " dots");
            return nullptr;
        }
    }
    auto result = toml::parse(std::string_view{text.bytes, text.count});
    if (!result) {
        auto &error = result.error();
        report(fault, error.source().begin.line, error.source().begin.column, error.description());
        return nullptr;
    }
    auto document = new ctoml_document{std::move(result).table(), {}};
    if (auto deep = list(document->root, {}, depth_max, document->values)) {
        report(fault, deep->source().begin.line, 0, "more than " + std::to_string(depth_max) + " levels");
        delete document;
        return nullptr;
    }
    return document;
}

const ctoml_value *ctoml_values(const ctoml_document *document) { return document->values.data(); }
size_t ctoml_count(const ctoml_document *document) { return document->values.size(); }
void ctoml_free(ctoml_document *document) { delete document; }
