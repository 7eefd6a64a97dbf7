rule dataset:
    input:
        **job.made_by("dataset"),
        manifest=job.manifest,
    output:
        **leaves("dataset"),
    log:
        log_of("dataset"),
    conda:
        "../../envs/matlabel.yaml"
    resources:
        **job.resources(),
    params:
        code=job.digest("dataset"),
    shell:
        "matlabel dataset --settings {input.settings} --dataset {input.manifest} --out {output.main}"
        " --code {params.code} > {log} 2>&1"
