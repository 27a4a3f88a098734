/* usual_layers.c - whose hidden states BERTScore compares. */
#include "measure/bertscore.h"
#include <string.h>

/* bert-score 0.3.13, utils.py: of its models those that are a BERT or a RoBERTa, by the last
 * part of their names. */
static const struct { const char *name; int layer; } usual[] = {
    {"bert-base-uncased", 9}, {"bert-large-uncased", 18}, {"bert-base-cased-finetuned-mrpc", 9},
    {"bert-base-multilingual-cased", 9}, {"bert-base-chinese", 8},
    {"roberta-base", 10}, {"roberta-large", 17}, {"roberta-large-mnli", 19},
    {"roberta-base-openai-detector", 7}, {"roberta-large-openai-detector", 15},
    {"distilroberta-base", 5},
    {"bert_uncased_L-2_H-128_A-2", 1}, {"bert_uncased_L-2_H-256_A-4", 1},
    {"bert_uncased_L-2_H-512_A-8", 1}, {"bert_uncased_L-2_H-768_A-12", 2},
    {"bert_uncased_L-4_H-128_A-2", 3}, {"bert_uncased_L-4_H-256_A-4", 3},
    {"bert_uncased_L-4_H-512_A-8", 3}, {"bert_uncased_L-4_H-768_A-12", 3},
    {"bert_uncased_L-6_H-128_A-2", 5}, {"bert_uncased_L-6_H-256_A-4", 5},
    {"bert_uncased_L-6_H-512_A-8", 5}, {"bert_uncased_L-6_H-768_A-12", 5},
    {"bert_uncased_L-8_H-128_A-2", 7}, {"bert_uncased_L-8_H-256_A-4", 7},
    {"bert_uncased_L-8_H-512_A-8", 6}, {"bert_uncased_L-8_H-768_A-12", 7},
    {"bert_uncased_L-10_H-128_A-2", 8}, {"bert_uncased_L-10_H-256_A-4", 8},
    {"bert_uncased_L-10_H-512_A-8", 9}, {"bert_uncased_L-10_H-768_A-12", 8},
    {"bert_uncased_L-12_H-128_A-2", 10}, {"bert_uncased_L-12_H-256_A-4", 11},
    {"bert_uncased_L-12_H-512_A-8", 10}, {"bert_uncased_L-12_H-768_A-12", 9},
    {"spanbert-base-cased", 8}, {"spanbert-large-cased", 17}, {"finbert", 10},
    {"bert-base-turkish-cased", 10},
    {"unsup-simcse-bert-base-uncased", 10}, {"unsup-simcse-bert-large-uncased", 18},
    {"unsup-simcse-roberta-base", 8}, {"unsup-simcse-roberta-large", 13},
    {"sup-simcse-bert-base-uncased", 10}, {"sup-simcse-bert-large-uncased", 18},
    {"sup-simcse-roberta-base", 10}, {"sup-simcse-roberta-large", 16},
};

int bertscore_usual_layer(const char *name)
{
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (!strcmp(usual[i].name, name))
            return usual[i].layer;
    return -1;
}
