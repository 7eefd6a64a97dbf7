localrules:
    fetch,


# `snakemake fetch` where there is a network: what is left then needs none.
rule fetch:
    conda:
        "../../envs/matlabel.yaml"
    params:
        backbones=" ".join(plan.downloads()),
    shell:
        "matlabel fetch {params.backbones}"
