localrules:
    fetch,


# `snakemake fetch` where there is a network: what is left then needs none.
rule fetch:
    log:
        "logs/fetch.log",
    conda:
        "../../envs/matlabel.yaml"
    params:
        weights=" ".join(plan.downloads()),
    shell:
        "matlabel fetch {params.weights} 2>&1 | tee {log}"
