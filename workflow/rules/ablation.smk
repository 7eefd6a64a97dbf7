# Without wildcards, so that it is a target: `snakemake ablation`.
rule ablation:
    input:
        unpack(job.compared),
        code=job.code("ablation"),
    output:
        **leaves("ablation", plan.ablation.key),
    log:
        f"logs/ablation/{plan.ablation.key}.log",
    conda:
        "../../envs/matlabel.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=15,
    params:
        code=job.digest("ablation"),
    shell:
        "matlabel ablation --settings {input.settings} --results results --out {output.main}"
        " --code {params.code} > {log} 2>&1"
