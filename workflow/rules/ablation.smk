# Without wildcards, so that it is a target: `snakemake ablation`.
rule ablation:
    input:
        unpack(ablation_inputs),
        code=code_of("ablation"),
    output:
        table=f"{plan.ablation.folder}/ablation.md",
        beside=multiext(f"{plan.ablation.folder}/ablation", ".csv", ".png"),
    log:
        f"logs/ablation/{plan.ablation.key}.log",
    conda:
        "../../envs/matlabel.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=15,
    params:
        code=sources_digest("ablation"),
    shell:
        "matlabel ablation --settings {input.settings} --results results --out {output.table}"
        " --code {params.code} > {log} 2>&1"
